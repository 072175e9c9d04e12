import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request from 'supertest';
import { createEd25519Signer, parsePublicJwk, type Signer } from '#evidence';
import { Participants } from '#partners';
import { type Config, createLogger, createSigner, freePort, parseConfig, SIGNER_NAMES } from '#platform';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { createGateway, type GatewayOptions } from '../../apps/gateway/src/start-gateway.js';
import { EC_AUTHORITY, ensureDevelopmentPki, RSA_AUTHORITY } from '../../certs/make-dev-pki.js';
import { checkAnswers } from './checked-answers.js';
import { signed } from './sign-request.js';

/** Whom a connection is: without `cert` it shows none, without `signer` it signs nothing. */
export interface Identity {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly signer?: Signer;
}

/** A gateway on real mTLS with a database and a PKI of its own; `bank-a` (EC) and `bank-b` (RSA) are active and sign with `signers`. */
export interface GatewayWorld {
  readonly home: string;
  readonly config: Config;
  readonly fresh: FreshDatabase;
  readonly app: NestFastifyApplication;
  readonly participants: Participants;
  readonly port: number;
  readonly signers: Readonly<Record<'bank-a' | 'bank-b', Signer>>;
  pki(name: string): string;
  client(name: string): Identity & { readonly cert: string; readonly key: string };
  call(identity: Identity, url?: string, method?: 'get' | 'post'): request.Test;
  close(): Promise<void>;
}

export async function openGatewayWorld(
  options: GatewayOptions & { redisUrl?: string; signatures?: 'required' | 'optional'; statementMsMax?: number } = {},
): Promise<GatewayWorld> {
  const home = mkdtempSync(path.join(tmpdir(), 'gateway-'));
  const fresh = await freshDatabase();
  const port = await freePort();
  const config = parseConfig({
    TALLYSTICK_ENV: 'test',
    TALLYSTICK_HOME: home,
    DATABASE_URL: fresh.url,
    LOG_LEVEL: 'silent',
    GATEWAY_ORIGIN: `https://localhost:${port}`,
    GATEWAY_PORT: String(port),
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    REQUEST_SIGNATURES: options.signatures,
    DATABASE_STATEMENT_MS_MAX: options.statementMsMax?.toString(),
  });
  await ensureDevelopmentPki(path.join(home, 'pki'), new Date());
  for (const name of SIGNER_NAMES) createSigner(config, name);
  // A test calls with a new connection each time.
  const app = await createGateway(config, createLogger('test', 'silent'), { handshakesPerSecondMax: 10_000, ...options });
  const participants = app.get(Participants);
  const signers = { 'bank-a': newSigner('bank-a-1'), 'bank-b': newSigner('bank-b-1') };
  const pki = (name: string) => readFileSync(path.join(home, 'pki', name), 'utf8');
  await enrol(participants, 'bank-a', pki, EC_AUTHORITY, signers['bank-a']);
  await enrol(participants, 'bank-b', pki, RSA_AUTHORITY, signers['bank-b']);
  const faults = checkAnswers(app.getHttpServer() as Server);
  await app.listen(port, '127.0.0.1');
  return {
    home,
    config,
    fresh,
    app,
    participants,
    port,
    signers,
    pki,
    client: (name) => ({
      ca: pki('server/ca.pem'),
      cert: pki(`clients/${name}/cert.pem`),
      key: pki(`clients/${name}/key.pem`),
      ...(name in signers ? { signer: signers[name as keyof typeof signers] } : {}),
    }),
    call: (identity, url = '/v1/participants/me', method = 'get') => {
      const origin = `https://localhost:${port}`;
      const made = request(origin)[method](url).ca(identity.ca);
      if (identity.cert) made.cert(identity.cert).key(identity.key!);
      const { signer } = identity;
      return signer && method !== 'get' ? signed(made, { method: method.toUpperCase(), targetUri: origin + url }, signer) : made;
    },
    close: async () => {
      await app.close();
      await fresh.close();
      rmSync(home, { recursive: true, force: true });
      if (faults.length > 0) throw new Error(`answers that the gateway's OpenAPI does not describe:\n${[...new Set(faults)].join('\n')}`);
    },
  };
}

function newSigner(kid: string): Signer {
  return createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
}

async function enrol(
  participants: Participants,
  id: string,
  pki: (name: string) => string,
  authority: string,
  signer: Signer,
): Promise<void> {
  const certificate = readIssuedCertificate(pki(`clients/${id}/cert.pem`), pki(`partners/${authority}.ca.pem`));
  await participants.enrol({ id, name: id, certificate, keys: [parsePublicJwk(signer.publicJwk)] });
  await participants.activate(id, 'test');
}

/** Known before the server listens, because the origin stands in its settings. */

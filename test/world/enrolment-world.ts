import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request from 'supertest';
import { type Signer, signJws } from '#evidence';
import { systemClock } from '#kernel';
import { Enrolments, type InvitationWish, IssueCertificates, KEY_PROOF_TYPE } from '#partners';
import { createIssuer, findIssuingAuthority } from '#partners/adapters/issuing-authority';
import { PrismaEnrolmentStore } from '#partners/adapters/prisma-enrolment-store';
import { createLogger, freePort } from '#platform';
import { createEnrolmentDoor } from '../../apps/gateway/src/enrolment/start-enrolment.js';
import { issueForCsr } from '../../certs/issue.js';
import { type GatewayWorld, openGatewayWorld } from './gateway-world.js';

/** A key and its PKCS#10 request, made with openssl as a bank would. */
export interface BankKey {
  readonly key: string;
  readonly csr: string;
  /** SHA-256 of the CSR's DER, base64url: what a key proof binds to. */
  readonly csrDigest: string;
}

/** A gateway with its enrolment listener beside it, and an issuer that works when it is told to. */
export interface EnrolmentWorld {
  readonly gateway: GatewayWorld;
  readonly origin: string;
  invite(wish: Partial<InvitationWish> & { participant: string }): Promise<string>;
  /** A call of the listener, without a client certificate. */
  call(method: 'get' | 'post', url: string, invitation?: string): request.Test;
  /** What the worker does each second. */
  issue(): Promise<number>;
  makeKey(options: readonly string[], subject?: string): BankKey;
  close(): Promise<void>;
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('base64url');

export async function openEnrolmentWorld(): Promise<EnrolmentWorld> {
  const gateway = await openGatewayWorld();
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  const config = { ...gateway.config, ENROLMENT_PORT: port, ENROLMENT_ORIGIN: origin };
  const door: NestFastifyApplication = await createEnrolmentDoor(gateway.app, config, createLogger('test', 'silent'));
  await door.listen(port, '127.0.0.1');
  const issuer = createIssuer(findIssuingAuthority(config)!, issueForCsr);
  const issuing = new IssueCertificates(gateway.app.get(PrismaEnrolmentStore), issuer, systemClock);
  return {
    gateway,
    origin,
    invite: async (wish) => {
      const { secret } = await gateway.app
        .get(Enrolments)
        .invite({ name: wish.participant, ttlMs: 3_600_000, activate: true, by: 'test', ...wish });
      return secret;
    },
    call: (method, url, invitation) => {
      const made = request(origin)[method](url).ca(gateway.pki('server/ca.pem'));
      return invitation === undefined ? made : made.set('authorization', `Bearer ${invitation}`);
    },
    issue: () => issuing.run(),
    makeKey: (options, subject = '/CN=whatever') => {
      const folder = mkdtempSync(path.join(gateway.home, 'bank-'));
      const files = ['-keyout', 'key.pem', '-out', 'csr.pem'];
      execFileSync('openssl', ['req', '-new', '-nodes', ...options, '-subj', subject, ...files], { cwd: folder, stdio: 'ignore' });
      const der = execFileSync('openssl', ['req', '-in', 'csr.pem', '-outform', 'DER'], { cwd: folder });
      const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
      return { key: read('key.pem'), csr: read('csr.pem'), csrDigest: sha256(der) };
    },
    close: async () => {
      await door.close();
      await gateway.close();
    },
  };
}

/** The form of an enrolment, with a proof by each key. */
export function formOf(invitation: string, { csr, csrDigest }: BankKey, signers: readonly Signer[], more: object = {}): object {
  const claims = { invitation: sha256(invitation), csr: csrDigest };
  const proofs = signers.map((signer) => signJws(KEY_PROOF_TYPE, claims, signer));
  return { csr, jwks: { keys: signers.map(({ publicJwk }) => publicJwk) }, proofs, ...more };
}

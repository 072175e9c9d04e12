import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JsonWebKey, parsePublicJwk } from '#evidence';
import { loadSigner } from '#platform';
import { HttpsWebhookPush, pushSettings } from '#standing/adapters/https-webhook-push';
import { saveConformanceRun } from '#standing/adapters/pg-conformance-runs';
import { GatewayProbes } from '../../apps/cli/src/conformance/gateway-probes.js';
import { partnerProbes } from '../../apps/cli/src/conformance/partner-probes.js';
import { failedOf, runProbes, tableOf } from '../../apps/cli/src/conformance/probe.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { startToyReceiver } from '../world/toy-receiver.js';

const now = () => new Date();

async function probesOf(world: GatewayWorld): Promise<GatewayProbes> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const kid = 'conformance';
  await world.participants.addKey('bank-a', parsePublicJwk({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA' }));
  const [certificate, revoked] = [world.client('bank-a'), world.client('revoked')];
  const { ca } = certificate;
  const signingKey = { kid, alg: 'EdDSA' as const, privateKey };
  return new GatewayProbes({ origin: world.config.GATEWAY_ORIGIN, participant: 'bank-a', ca, certificate, revoked, signingKey, now });
}

const scoreOf = async (world: GatewayWorld) => {
  const probes = await probesOf(world);
  try {
    return await runProbes(probes.all());
  } finally {
    await probes.close();
  }
};

describe('the gateway, probed as a bank', () => {
  it('passes', async () => {
    const world = await openGatewayWorld();
    try {
      const results = await scoreOf(world);
      expect(results.filter(({ passed }) => !passed)).toEqual([]);
      expect(results).toHaveLength(18);
    } finally {
      await world.close();
    }
  });

  it.each([
    ['nonces are forgotten', { nonces: { claim: () => Promise.resolve(true) } }, ['nonce.replayed']],
    ['nobody need sign', { signatures: 'optional' as const }, ['signature.missing']],
  ])('fails by name where %s', async (_what, options, failed) => {
    const world = await openGatewayWorld(options);
    try {
      const results = await scoreOf(world);
      expect(failedOf(results)).toEqual(failed);
      expect(tableOf('here', results).at(-1)).toBe('here: 17 of 18 probes passed');
    } finally {
      await world.close();
    }
  });
});

describe('a partner’s webhook, probed', () => {
  let world: GatewayWorld;
  let push: HttpsWebhookPush;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
    world = await openGatewayWorld();
    const ca = path.join(world.home, 'pki/server/ca.pem');
    const settings = { ...world.config, WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128', WEBHOOK_CA_FILE: ca };
    push = new HttpsWebhookPush(pushSettings(settings), () => loadSigner(world.config, 'response'));
  });
  afterAll(async () => {
    await push.close();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const scoreAt = (url: string) =>
    runProbes(
      partnerProbes({
        target: { participant: 'bank-a', url },
        issuer: world.config.GATEWAY_ORIGIN,
        push,
        now,
        messageSigner: loadSigner(world.config, 'response'),
        tokenSigner: loadSigner(world.config, 'receipt'),
      }),
    );

  it('passes with the receiver of the SDK, and the score is kept with its fact', async () => {
    const { database } = world.fresh;
    const keys = () =>
      Promise.resolve((['response', 'receipt'] as const).map((name): JsonWebKey => loadSigner(world.config, name).publicJwk));
    const toy = await startToyReceiver({
      pki: path.join(world.home, 'pki'),
      folder,
      participant: 'bank-a',
      issuer: world.config.GATEWAY_ORIGIN,
      keys,
    });
    const results = await scoreAt(toy.url);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(toy.heard).toEqual([]);
    await toy.close();
    await saveConformanceRun(database, { participant: 'bank-a', probes: results.length, failed: ['set.audience'] });
    const rows = await database.query(
      'SELECT probes, failed FROM conformance_runs r JOIN facts f ON f.shard = r.shard AND f.seq = r.fact_seq',
    );
    expect(rows).toEqual([{ probes: 17, failed: ['set.audience'] }]);
  });

  it('fails everything with a receiver that believes everything', async () => {
    const server = createServer({ cert: world.pki('server/cert.pem'), key: world.pki('server/key.pem') }, (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const payload = Buffer.concat(pieces).toString().split('.')[1] ?? '';
        const { events } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { events: Record<string, object> };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(Object.values(events)[0]));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const results = await scoreAt(`https://localhost:${(server.address() as AddressInfo).port}/`);
    server.closeAllConnections();
    server.close();
    expect(results.filter(({ passed }) => passed).map(({ name }) => name)).toEqual(['good']);
  });
});

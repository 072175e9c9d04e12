import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { decodeJwt } from 'jose';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEd25519Signer, parsePublicJwk, type Signer, signJws, verifyJws } from '#evidence';
import { ManualClock } from '#kernel';
import { KEY_PROOF_TYPE, ParticipantRegistry, Participants, TimeKeeper } from '#partners';
import { PrismaParticipantStore } from '#partners/adapters/prisma-participant-store';
import { announceNextSigner, createLogger, freePort, switchToNextSigner } from '#platform';
import { BankClient } from '#sdk';
import { createGateway } from '../../apps/gateway/src/start-gateway.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { signed } from '../world/sign-request.js';

const PROMISE_MS = 10_000;
let world: GatewayWorld;
/** A second gateway process over the same database. */
let second: NestFastifyApplication;
let secondOrigin: string;

beforeAll(async () => {
  world = await openGatewayWorld();
  const port = await freePort();
  secondOrigin = `https://localhost:${port}`;
  second = await createGateway({ ...world.config, GATEWAY_ORIGIN: secondOrigin }, createLogger('test', 'silent'));
  await second.listen(port, '127.0.0.1');
});
afterAll(async () => {
  await second?.close();
  await world.close();
});

const newSigner = (kid: string): Signer =>
  createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
const post = (url: string, body: string | object, signer = world.signers['bank-a']) => {
  const made = world.call({ ...world.client('bank-a'), signer }, url, 'post');
  return (typeof body === 'string' ? made.type('application/jose') : made).send(body);
};
const me = async (bank = 'bank-a') => (await world.call(world.client(bank)).expect(200)).body as Me;
interface Me {
  missing: { code: string }[];
  keys: { kid: string; state: string }[];
  gatewayKeys: { kid: string; use: string; state: string }[];
}

/** What the worker does each second, at a time of our choosing. */
async function timePasses(ms: number): Promise<void> {
  const registry = world.app.get(ParticipantRegistry);
  await registry.refresh();
  await new TimeKeeper(world.app.get(PrismaParticipantStore), registry, new ManualClock(new Date(Date.now() + ms))).run();
}

describe('a signing key', () => {
  const KEYS = '/v1/participants/me/keys';
  const next = newSigner('bank-a-2');

  it('is announced, proved, made ready, activated; the one before stays good until it is retired', async () => {
    const announced = await post(KEYS, { jwk: next.publicJwk }).expect(201);
    const { challenge } = announced.body as { challenge: string };
    expect((await post(KEYS, { jwk: next.publicJwk }).expect(201)).body).toEqual(announced.body);
    expect((await post(KEYS, { jwk: newSigner('k').publicJwk }, next)).body).toMatchObject({ code: 'signature.key_unknown' });
    expect((await me()).missing).toMatchObject([{ code: 'key.unproved', next: `POST ${KEYS}/bank-a-2/proofs` }]);
    await post(`${KEYS}/bank-a-2/proofs`, signJws(KEY_PROOF_TYPE, { challenge: 'another' }, next)).expect(422);
    await post(`${KEYS}/bank-a-2/proofs`, signJws(KEY_PROOF_TYPE, { challenge }, newSigner('bank-a-2'))).expect(401);
    await post(`${KEYS}/bank-a-2/activation`, {}).expect(409);
    const proof = signJws(KEY_PROOF_TYPE, { challenge }, next);
    for (let n = 0; n < 2; n++) expect((await post(`${KEYS}/bank-a-2/proofs`, proof).expect(200)).body).toMatchObject({ state: 'PROBED' });
    await timePasses(PROMISE_MS);
    await world.app.get(ParticipantRegistry).refresh();
    for (let n = 0; n < 2; n++)
      expect((await post(`${KEYS}/bank-a-2/activation`, {}, next).expect(200)).body).toMatchObject({ state: 'ACTIVE' });
    await post(`${KEYS}/bank-a-2/activation`, {}, world.signers['bank-a']).expect(200);
    await post(`${KEYS}/bank-a-1/retirement`, {}, next).expect(200);
    expect((await post(KEYS, {}, world.signers['bank-a'])).body).toMatchObject({ code: 'signature.key_retired' });
    expect((await post(`${KEYS}/bank-a-2/retirement`, {}, next)).body).toMatchObject({ code: 'key.last' });
    expect(await me()).toMatchObject({ missing: [], keys: [{ state: 'RETIRED' }, { kid: 'bank-a-2', state: 'ACTIVE' }] });
  });

  it('that is reported compromised is refused on every process within 10 s, whatever iat claims', async () => {
    const echo = (origin: string) => {
      const client = { ...world.client('bank-a') };
      const made = request(origin).post('/v1/security/echo').ca(client.ca).cert(client.cert).key(client.key).type('application/jose');
      const old = signJws('credit-record+jwt', { iss: 'bank-a', iat: 1_600_000_000 }, next);
      return signed(made, { method: 'POST', targetUri: `${origin}/v1/security/echo` }, next).send(old);
    };
    const origins = [`https://localhost:${world.port}`, secondOrigin];
    for (const origin of origins) expect(JSON.stringify((await echo(origin)).body)).not.toContain('key_compromised');
    const told = Date.now();
    const report = { suspectedSince: new Date(told - 3_600_000).toISOString() };
    expect((await post(`${KEYS}/bank-a-2/compromise`, report, next).expect(200)).body).toMatchObject({ state: 'COMPROMISED', ...report });
    for (const origin of origins) {
      await vi.waitFor(async () => expect(JSON.stringify((await echo(origin)).body)).toContain('signature.key_compromised'), PROMISE_MS);
    }
    const list = await world.call(world.client('bank-a'), `${KEYS}/bank-a-2/suspect-records`).expect(200);
    expect(list.body).toMatchObject({ kid: 'bank-a-2', ...report, records: [] });
    for (const query of ['limit=0', 'limit=201', 'limt=5', 'after=x']) {
      const { status, body } = await world.call(world.client('bank-a'), `${KEYS}/bank-a-2/suspect-records?${query}`);
      expect([status, (body as { code: string }).code]).toEqual([400, 'query.malformed']);
    }
    expect((await me()).missing).toMatchObject([{ code: 'key.none' }]);
  });
});

describe('the gateway’s own next key', () => {
  const CHECKS = '/v1/participants/me/gateway-keys';
  const signedBy = async (bank: string) => /keyid="([^"]+)"/.exec((await world.call(world.client(bank))).headers['signature-input']!)?.[1];
  const jwks = async () => ((await world.call(world.client('bank-b'), '/.well-known/jwks.json')).body as { keys: { kid: string }[] }).keys;

  it('is used towards a partner only after that one has proved that it verifies it, and the old one stays published', async () => {
    const old = await signedBy('bank-b');
    const { kid, publicJwk } = announceNextSigner(world.config, 'response');
    await vi.waitFor(async () => expect((await jwks()).map((key) => key.kid)).toContain(kid), PROMISE_MS);
    expect((await me('bank-b')).missing).toMatchObject([
      { code: 'gateway_key.unproved', next: `GET ${CHECKS}/${encodeURIComponent(kid)}/check` },
    ]);
    expect(await signedBy('bank-b')).toBe(old);
    const { body } = await world.call(world.client('bank-b'), `${CHECKS}/${kid}/check`).expect(200);
    const { check, tokens } = body as { check: string; tokens: string[] };
    const key = { kid, alg: 'EdDSA', jwk: publicJwk, state: 'ACTIVE' } as const;
    const verifies = (token: string) =>
      verifyJws(Buffer.from(token), 'key-check+jwt', () => key).then(
        () => true,
        () => false,
      );
    const found = await Promise.all(tokens.map(verifies));
    const valid = found.flatMap((good, i) => (good ? [i] : []));
    const answer = (list: number[]) => world.call(world.client('bank-b'), `${CHECKS}/${kid}/check`, 'post').send({ check, valid: list });
    await answer(valid.slice(1)).expect(422);
    await answer(valid).expect(200);
    expect(await signedBy('bank-b')).toBe(kid);
    expect(await signedBy('bank-a')).toBe(old);
    switchToNextSigner(world.config, 'response');
    await vi.waitFor(async () => expect(await signedBy('bank-a')).toBe(kid), PROMISE_MS);
    expect((await jwks()).map((one) => one.kid)).toEqual(expect.arrayContaining([old, kid]));
  });
});

describe('an expiry', () => {
  it('is announced once by event, and shown as a metric', async () => {
    const notAfter = new Date(Date.now() + 5 * 86_400_000);
    const ending = { x5t: 'ending', issuer: 'authority', serial: 'e1', notBefore: new Date(), notAfter };
    await world.app.get(Participants).registerCertificate('bank-b', ending);
    for (let n = 0; n < 3; n++) await timePasses(0);
    const poll = () => world.call(world.client('bank-b'), '/v1/events/poll', 'post').send({ returnImmediately: true });
    const { sets } = (await poll().expect(200)).body as { sets: Record<string, string> };
    const [issued, ...tokens] = Object.values(sets).map((token) => decodeJwt(token));
    expect(Object.keys(issued!['events'] as object)).toEqual(['urn:tallystick:event:certificate.issued']);
    expect(tokens.map(({ sub_id, events }) => [sub_id, events])).toEqual([
      [
        { format: 'opaque', id: 'bank-b' },
        { 'urn:tallystick:event:certificate.expiring': { 'x5t#S256': 'ending', serial: 'e1', notAfter: notAfter.toISOString(), days: 7 } },
      ],
    ]);
    await vi.waitFor(async () => {
      const { text } = await world.call({ ca: world.pki('server/ca.pem') }, '/metrics');
      expect(text).toMatch(/tallystick_partner_expiry_days\{participant="bank-b",what="certificate",id="e1"\} (4\.9|5)/);
    }, PROMISE_MS);
  });
});

describe('the SDK', () => {
  it('introduces a key and goes on where it was interrupted, proves our next key, and retires the old one', async () => {
    const { cert, key: tlsKey, ca } = world.client('bank-b');
    const clientOf = (kid: string, privateKey: KeyObject) =>
      new BankClient({ origin: world.config.GATEWAY_ORIGIN, ca, cert, key: tlsKey, signingKey: { kid, alg: 'EdDSA', privateKey } });
    const old = generateKeyPairSync('ed25519').privateKey;
    const registered = parsePublicJwk({ ...createPublicKey(old).export({ format: 'jwk' }), kid: 'bank-b-sdk-1', alg: 'EdDSA' });
    await world.app.get(Participants).addKey('bank-b', registered);
    await world.app.get(ParticipantRegistry).refresh();
    const next = generateKeyPairSync('ed25519').privateKey;
    const signingKey = { kid: 'bank-b-sdk-2', alg: 'EdDSA', privateKey: next } as const;
    const first = clientOf('bank-b-sdk-1', old);
    await expect(first.rotation.introduce(signingKey, { patienceMs: 0 })).rejects.toMatchObject({ code: 'key.not_ready' });
    await timePasses(PROMISE_MS);
    await world.app.get(ParticipantRegistry).refresh();
    expect(await first.rotation.introduce(signingKey)).toMatchObject({ state: 'ACTIVE' });
    const second = clientOf('bank-b-sdk-2', next);
    expect(await second.rotation.retire('bank-b-sdk-1')).toMatchObject({ state: 'RETIRED' });
    const { kid } = announceNextSigner(world.config, 'receipt');
    await vi.waitFor(async () => expect(await second.rotation.proveGatewayKeys()).toEqual([kid]), PROMISE_MS);
    expect(await second.rotation.proveGatewayKeys()).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });
});

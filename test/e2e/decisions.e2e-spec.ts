import 'reflect-metadata';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import { addSubjects } from '#decisions/testing/subjects';
import { canonicalize } from '#evidence';
import { formatId } from '#kernel';
import { createLogger, freePort, parseConfig } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';

const ALL_SCOPES = 'decisions:evaluate decisions:reserve standing:read';

let fresh: FreshDatabase;
let app: NestFastifyApplication;
let folder: string;
let privateKey: CryptoKey;
let grpcPort: number;
let subject: string;
let bearer: string;

async function mint({
  scope = ALL_SCOPES,
  issuer = 'test-issuer',
  audience = 'tallystick-decision-api',
  from = -5,
  seconds = 300,
  key = privateKey,
} = {}) {
  const now = Math.floor(Date.now() / 1000) + from;
  return await new SignJWT({ scope })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k1' })
    .setIssuer(issuer)
    .setSubject('checkout-service')
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + seconds)
    .sign(key);
}

const body = (change: object = {}) => ({
  subject,
  service: 'checkout',
  amount: { amount: '10.00', currency: 'CNY' },
  mode: 'RESERVE',
  ...change,
});
const http = () => request(app.getHttpServer());
const post = (url: string, json: object, key: string | undefined = randomUUID(), token = bearer) => {
  const call = http().post(url).set('authorization', `Bearer ${token}`);
  return (key === undefined ? call : call.set('idempotency-key', key)).send(json);
};
const decide = (change: object = {}, key?: string) => post('/v1/decisions', body(change), key);

beforeAll(async () => {
  fresh = await freshDatabase();
  await new PgPolicies(fresh.database).activate(policyInput(), { author: 'ann', approver: 'ben' }, new Date());
  subject = formatId('sub', (await addSubjects(fresh.database, 1))[0]!);
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-decisions-'));
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  privateKey = pair.privateKey;
  mkdirSync(path.join(folder, 'keys'));
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'EdDSA' }];
  writeFileSync(path.join(folder, 'keys/internal-issuer.jwks.json'), JSON.stringify({ keys }));
  grpcPort = await freePort();
  const settings = {
    DATABASE_URL: fresh.url,
    TALLYSTICK_HOME: folder,
    INTERNAL_TOKEN_ISSUER: 'test-issuer',
    DECISION_GRPC_PORT: String(grpcPort),
  };
  app = await createDecisionApi(parseConfig({ ...settings, TALLYSTICK_ENV: 'test' }), createLogger('test', 'silent'));
  await app.listen(0, '127.0.0.1');
  bearer = await mint();
});
afterAll(async () => {
  await app.close();
  await fresh.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('decisions over HTTP', () => {
  it('decide, reserve, confirm, refund, and can be read by id and by key', async () => {
    const key = randomUUID();
    const first = await decide({ paymentReference: 'E2E-1' }, key).expect(200);
    expect(first.body).toMatchObject({ outcome: 'ALLOW', tier: 'EXCELLENT', discount: { amount: '0.20' } });
    const again = await decide({ paymentReference: 'E2E-1' }, key).expect(200);
    expect(again.headers['idempotency-hit']).toBe('true');
    expect(again.body).toEqual(first.body);
    expect((await http().get(`/v1/decisions/${first.body.decisionId}`).set('authorization', `Bearer ${bearer}`).expect(200)).body).toEqual(
      first.body,
    );
    const byKey = await http().get('/v1/decisions').query({ key, subject }).set('authorization', `Bearer ${bearer}`).expect(200);
    expect(byKey.body).toEqual(first.body);
    const reservation = `/v1/reservations/${first.body.reservation.id}`;
    const confirmed = await post(`${reservation}/confirm`, { amount: { amount: '6.00', currency: 'CNY' } }).expect(200);
    expect(confirmed.body).toMatchObject({ state: 'CONFIRMED', confirmed: { amount: '6.00' } });
    expect((await post(`${reservation}/release`, {}).expect(409)).body).toMatchObject({ code: 'reservation.settled', state: 'CONFIRMED' });
    expect((await post(`${reservation}/refund`, {}).expect(200)).body).toMatchObject({ refunded: { amount: '6.00' } });
  });

  it('publish the policy that decides, and the schema of such documents', async () => {
    const get = (url: string, token: string) => http().get(url).set('authorization', `Bearer ${token}`);
    const active = await get('/v1/policies/active', bearer).expect(200);
    expect(active.body).toMatchObject({ id: 'house', version: '1', document: { id: 'house', version: 1, timeZone: 'Asia/Shanghai' } });
    expect(createHash('sha256').update(canonicalize(active.body.document)).digest('hex')).toBe(active.body.hash);
    const schema = await get('/v1/policies/schema', await mint({ scope: 'standing:read' })).expect(200);
    expect(schema.body).toMatchObject({ type: 'object', required: expect.arrayContaining(['tiers', 'services']) });
    await get('/v1/policies/active', await mint({ scope: 'standing:read' })).expect(403);
    await http().get('/v1/policies/schema').expect(401);
  });

  it('answers a batch item by item', async () => {
    const items = [body({ key: randomUUID() }), body({ key: randomUUID(), service: 'teleport' }), body({ mode: 'EVALUATE' })];
    const { results } = (await post('/v1/decisions:batch', { items }).expect(200)).body;
    expect(results).toMatchObject([
      { answer: { outcome: 'ALLOW' } },
      { problem: { code: 'service.unknown', status: 422 } },
      { answer: { outcome: 'ALLOW' } },
    ]);
  });

  it('tells the headroom and documents itself', async () => {
    const headroom = await http().get(`/v1/subjects/${subject}/headroom`).set('authorization', `Bearer ${bearer}`).expect(200);
    expect(headroom.body).toMatchObject({
      tier: 'EXCELLENT',
      services: [{ service: 'checkout', limits: [{}, { window: 'DAY' }, { window: 'DAY' }] }, {}, {}, {}],
    });
    const { paths } = (await http().get('/docs-json').expect(200)).body;
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/decisions', '/v1/decisions:batch', '/v1/reservations/{id}/confirm']));
    expect(Object.keys(paths['/v1/decisions'])).toEqual(expect.arrayContaining(['get', 'post']));
  });

  it.each<[name: string, status: number, code: string, change: object]>([
    ['an unknown field', 400, 'decision.malformed', { extra: 1 }],
    ['no amount', 400, 'decision.malformed', { amount: undefined }],
    ['an amount with an exponent', 400, 'amount.malformed', { amount: { amount: '1e2', currency: 'CNY' } }],
    ['a negative amount', 400, 'amount.malformed', { amount: { amount: '-1', currency: 'CNY' } }],
    ['nothing', 422, 'amount.not_positive', { amount: { amount: '0.00', currency: 'CNY' } }],
    ['too many decimals', 422, 'amount.precision', { amount: { amount: '1.001', currency: 'CNY' } }],
    ['too much', 422, 'amount.too_large', { amount: { amount: '10000000000000.01', currency: 'CNY' } }],
    ['no currency', 422, 'currency.unknown', { amount: { amount: '1', currency: 'XQQ' } }],
    ['a currency that is not the policy’s', 422, 'currency.unsupported', { amount: { amount: '1', currency: 'EUR' } }],
    ['an unknown service', 422, 'service.unknown', { service: 'teleport' }],
    ['a malformed subject', 400, 'id.malformed', { subject: 'sub_x' }],
    [
      'an unknown subject',
      404,
      'subject.unknown',
      { subject: formatId('sub', { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' }) },
    ],
    ['a long payment reference', 400, 'decision.malformed', { paymentReference: 'x'.repeat(36) }],
  ])('refuses %s with %i %s', async (_name, status, code, change) => {
    const answer = await decide(change).expect(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body.code).toBe(code);
  });

  it('refuses a reused key, a missing key, broken JSON, another media type and a body over the limit', async () => {
    const key = randomUUID();
    await decide({}, key).expect(200);
    expect((await decide({ service: 'pay-later' }, key).expect(422)).body.code).toBe('idempotency.key_reused');
    const noKey = await http().post('/v1/decisions').set('authorization', `Bearer ${bearer}`).send(body()).expect(400);
    expect(noKey.body.code).toBe('idempotency.key_missing');
    const raw = () => http().post('/v1/decisions').set('authorization', `Bearer ${bearer}`);
    expect((await raw().set('content-type', 'application/json').send('{"a":').expect(400)).body.code).toBe('request.malformed');
    expect((await raw().set('content-type', 'application/json').send('').expect(400)).body.detail).toMatch(/^the body is empty: send \{\}/);
    for (const type of ['text/csv', 'text/plain', 'application/x-www-form-urlencoded'])
      expect((await raw().set('content-type', type).send('a=b').expect(415)).body.code).toBe('media_type.unsupported');
    expect(
      (
        await raw()
          .send({ a: 'x'.repeat(300_000) })
          .expect(413)
      ).body.code,
    ).toBe('body.too_large');
  });

  it('authenticates every caller', async () => {
    const stranger = (await generateKeyPair('EdDSA')).privateKey;
    const rows: [token: string, status: number, code: string][] = [
      ['', 401, 'token.missing'],
      ['nonsense', 401, 'token.invalid'],
      [await mint({ key: stranger }), 401, 'token.invalid'],
      [await mint({ issuer: 'somebody' }), 401, 'token.invalid'],
      [await mint({ audience: 'another-door' }), 401, 'token.invalid'],
      [await mint({ from: -600, seconds: 300 }), 401, 'token.expired'],
      [await mint({ seconds: 3600 }), 401, 'token.invalid'],
      [await mint({ scope: 'decisions:evaluate' }), 403, 'scope.missing'],
    ];
    for (const [token, status, code] of rows)
      expect((await post('/v1/decisions', body(), randomUUID(), token).expect(status)).body.code).toBe(code);
    expect((await http().get(`/v1/subjects/${subject}/headroom`).expect(401)).body.code).toBe('token.missing');
  });
});

describe('decisions over gRPC', () => {
  type Reply = Record<string, never> & { outcome: string; reservation: { id: string }; results: object[]; state: string };
  const loaded = grpc.loadPackageDefinition(
    loadSync('apps/decision-api/proto/decision.proto', { longs: Number, enums: String, defaults: false }),
  );
  const Service = (loaded as never)['tallystick']['decision']['v1']['DecisionService'] as grpc.ServiceClientConstructor;
  let client: grpc.Client &
    Record<string, (...args: unknown[]) => grpc.ClientDuplexStream<object, { tag: number; answer?: Reply; problem?: object }>>;
  const metadata = (token = bearer) => {
    const made = new grpc.Metadata();
    made.set('authorization', `Bearer ${token}`);
    return made;
  };
  const call = (method: string, message: object, token?: string) =>
    new Promise<Reply>((resolve, reject) => {
      client[method]!(message, metadata(token), (error: Error | null, reply: Reply) => (error ? reject(error) : resolve(reply)));
    });

  beforeAll(() => {
    client = new Service(`127.0.0.1:${grpcPort}`, grpc.credentials.createInsecure()) as never;
  });
  afterAll(() => client.close());

  it('answers one, settles it, and tells problems by code', async () => {
    const decided = await call('decide', { ...body(), idempotencyKey: randomUUID() });
    expect(decided.outcome).toBe('ALLOW');
    expect(await call('confirm', { reservationId: decided.reservation.id })).toMatchObject({
      state: 'CONFIRMED',
      confirmed: { amount: '10.00' },
    });
    const failure = (await call('decide', { ...body(), service: 'teleport', idempotencyKey: randomUUID() }).catch(
      (error: unknown) => error,
    )) as grpc.ServiceError;
    expect([failure.code, failure.metadata.get('tallystick-code')]).toEqual([grpc.status.INVALID_ARGUMENT, ['service.unknown']]);
    const stranger = (await call('decide', body(), 'nonsense').catch((error: unknown) => error)) as grpc.ServiceError;
    expect([stranger.code, stranger.metadata.get('tallystick-code')]).toEqual([grpc.status.UNAUTHENTICATED, ['token.invalid']]);
  });

  it('answers a batch', async () => {
    const { results } = await call('decideBatch', {
      items: [{ ...body(), idempotencyKey: randomUUID() }, { ...body(), mode: 'EVALUATE' }, body()],
    });
    expect(results).toMatchObject([
      { answer: { outcome: 'ALLOW' } },
      { answer: { outcome: 'ALLOW' } },
      { problem: { code: 'idempotency.key_missing' } },
    ]);
  });

  it('answers a stream message by message, and a stranger not at all', async () => {
    const stream = client['decideStream']!(metadata());
    const answers = new Map<number, unknown>();
    const ended = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
    stream.on('data', ({ tag, answer, problem }) => answers.set(tag, answer?.outcome ?? problem));
    for (let tag = 1; tag <= 50; tag++)
      stream.write({ ...body({ amount: { amount: '0.01', currency: 'CNY' } }), service: 'pay-later', idempotencyKey: randomUUID(), tag });
    stream.write({ ...body(), service: 'teleport', idempotencyKey: randomUUID(), tag: 51 });
    stream.end();
    await ended;
    expect(answers.size).toBe(51);
    expect(answers.get(51)).toMatchObject({ code: 'service.unknown' });
    expect([...answers.values()].filter((outcome) => outcome === 'ALLOW')).toHaveLength(50);
    const refused = client['decideStream']!(metadata('nonsense'));
    refused.on('data', () => undefined);
    const error = await new Promise<grpc.ServiceError>((resolve) => refused.on('error', resolve as never));
    expect(error.code).toBe(grpc.status.UNAUTHENTICATED);
  });

  it('stops answering a stream whose token has ended', async () => {
    const stream = client['decideStream']!(metadata(await mint({ from: -298, seconds: 300 })));
    const answers: unknown[] = [];
    stream.on('data', (result) => answers.push(result));
    stream.write({ ...body(), mode: 'EVALUATE', tag: 1 });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    stream.write({ ...body(), mode: 'EVALUATE', tag: 2 });
    stream.end();
    await new Promise((resolve) => stream.on('end', resolve));
    expect(answers).toMatchObject([{ answer: { outcome: 'ALLOW' } }, { problem: { code: 'token.expired', status: 401 } }]);
  });
});

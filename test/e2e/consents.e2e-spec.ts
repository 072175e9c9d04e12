import { rmSync } from 'node:fs';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Command } from 'commander';
import request, { type Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type JsonObject, parsePublicJwk, type Signer, signJws, verifyJws } from '#evidence';
import { createLogger, createSigner, freePort } from '#platform';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import { ConsentWorld } from '#standing/testing/consent-world';
import { parseId } from '#kernel';
import { register } from '../../apps/cli/src/commands/consents.js';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { EC_AUTHORITY, ensureDevelopmentPki } from '../../certs/make-dev-pki.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { until } from '../world/worker-world.js';

let world: GatewayWorld;
let platform: NestFastifyApplication;
let issuer: Signer;
let lastKey = 0;

beforeAll(async () => {
  world = await openGatewayWorld();
  issuer = createSigner(world.config, 'internal-issuer');
  platform = await createDecisionApi({ ...world.config, DECISION_GRPC_PORT: await freePort() }, createLogger('test', 'silent'));
  await platform.init();
  await platform.getHttpAdapter().getInstance().ready();
});
afterAll(async () => {
  await platform?.close();
  await world?.close();
});

/** The wallet, for the subject. */
function wallet(method: 'get' | 'post', url: string, body?: object) {
  const now = Math.floor(Date.now() / 1_000);
  const scope = 'subjects:write consents:read consents:write';
  const claims = {
    iss: world.config.INTERNAL_TOKEN_ISSUER,
    sub: 'wallet',
    aud: 'tallystick-decision-api',
    iat: now,
    exp: now + 300,
    scope,
  };
  const door = request(platform.getHttpServer());
  const made = (method === 'get' ? door.get(url) : door.post(url)).set('authorization', `Bearer ${signJws('JWT', claims, issuer)}`);
  if (method === 'post') made.set('idempotency-key', `wallet-key-${++lastKey}`);
  return body ? made.send(body) : made;
}

const ask = (bank: 'bank-a' | 'bank-b', body: JsonObject, key = `bank-key-${++lastKey}`) =>
  world.call(world.client(bank), '/v1/consents', 'post').set('idempotency-key', key).send(body);
const look = (bank: 'bank-a' | 'bank-b', url: string) => world.call(world.client(bank), url);

/** What the command prints, a JSON line each. */
async function command(...args: string[]): Promise<JsonObject[]> {
  const program = new Command('tallystick').exitOverride();
  register(program);
  vi.stubEnv('DATABASE_URL', world.fresh.url);
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await program.parseAsync(['consents', ...args], { from: 'user' });
    return printed.mock.calls.map(([line]) => JSON.parse(String(line)) as JsonObject);
  } finally {
    printed.mockRestore();
    vi.unstubAllEnvs();
  }
}

async function linked(bank = 'bank-a'): Promise<{ subject: string; sub: string }> {
  const { id: subject } = (await wallet('post', '/v1/subjects', { kind: 'INDIVIDUAL' }).expect(201)).body as { id: string };
  const { ref } = (await wallet('post', `/v1/subjects/${subject}/links`, { participant: bank }).expect(201)).body as { ref: string };
  return { subject, sub: ref };
}

const wish = (sub: string, change: JsonObject = {}): JsonObject => ({
  sub,
  purpose: 'CREDIT_APPLICATION',
  claims: ['score', 'band', 'factors'],
  fetch: { type: 'PERIODIC', count: 4, every: 'DAY' },
  dataLifeSeconds: 604_800,
  expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
  ...change,
});

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly artefact: string;
}
const shown = ({ body }: Response) => body as Shown;

async function artefactClaims(artefact: string): Promise<JsonObject> {
  const { keys } = (await look('bank-a', '/.well-known/jwks.json').expect(200)).body as { keys: JsonObject[] };
  const found = (kid: string) => {
    const jwk = keys.find((one) => one['kid'] === kid);
    return jwk && ({ ...parsePublicJwk(jwk), state: 'ACTIVE' } as const);
  };
  return (await verifyJws(Buffer.from(artefact), 'consent+jwt', found)).value.payload as JsonObject;
}

async function heard(bank: 'bank-a' | 'bank-b'): Promise<[kind: string, body: JsonObject][]> {
  const { sets } = (await world.call(world.client(bank), '/v1/events/poll', 'post').send({ returnImmediately: true }).expect(200)).body as {
    sets: Record<string, string>;
  };
  return Object.values(sets).map((set) => {
    const { events } = JSON.parse(Buffer.from(set.split('.')[1]!, 'base64url').toString()) as { events: Record<string, JsonObject> };
    const [[uri, body]] = Object.entries(events) as [[string, JsonObject]];
    return [uri.replace('urn:tallystick:event:', ''), body];
  });
}

describe('a consent over both doors', () => {
  it('is asked for by the bank, granted with less by the subject, stopped and ended; both see every step', async () => {
    const { subject, sub } = await linked();
    const asked = await ask('bank-a', wish(sub), 'the-same-key-1').expect(201);
    const { id } = shown(asked);
    expect(asked.headers['location']).toBe(`/v1/consents/${id}`);
    expect(asked.body).toMatchObject({ ...wish(sub), expiresAt: expect.any(String) as string, state: 'REQUESTED', version: 1, uses: 0 });

    const own = `/v1/subjects/${subject}/consents`;
    const { body: open } = await wallet('get', own).expect(200);
    expect(open).toMatchObject({ subject, consents: [{ id, recipient: 'bank-a', state: 'REQUESTED', purpose: 'CREDIT_APPLICATION' }] });
    expect((await wallet('post', `${own}/${id}/grant`, { claims: ['score', 'asOf'] })).body).toMatchObject({
      code: 'consent.wider',
      field: '/claims',
    });
    await wallet('post', `${own}/${id}/grant`, { claims: ['score'], dataLifeSeconds: 3_600 }).expect(200);
    const { body: told } = await look('bank-a', `/v1/consents/${id}`).expect(200);
    expect(told).toMatchObject({ state: 'ACTIVE', version: 2, by: 'SUBJECT', claims: ['score'], dataLifeSeconds: 3_600 });
    expect(await artefactClaims((told as Shown).artefact)).toMatchObject({
      iss: world.config.GATEWAY_ORIGIN,
      aud: 'bank-a',
      sub,
      jti: `${id}.2`,
      consent: {
        id,
        state: 'ACTIVE',
        claims: ['score'],
        purpose: 'CREDIT_APPLICATION',
        fetch: { type: 'PERIODIC', count: 4, every: 'DAY' },
      },
    });

    for (const [step, state] of [
      ['pause', 'PAUSED'],
      ['resume', 'ACTIVE'],
      ['revoke', 'REVOKED'],
      ['revoke', 'REVOKED'],
    ] as const) {
      expect((await wallet('post', `${own}/${id}/${step}`).expect(200)).body).toMatchObject({ state });
    }
    expect((await wallet('post', `${own}/${id}/resume`)).body).toMatchObject({ status: 409, code: 'consent.state', state: 'REVOKED' });
    const kinds = ['requested', 'granted', 'paused', 'resumed', 'revoked'].map((kind) => `consent.${kind}`);
    expect((await heard('bank-a')).filter(([, body]) => body['consent'] === id).map(([kind]) => kind)).toEqual(kinds);
    const { versions } = (await look('bank-a', `/v1/consents/${id}/versions`).expect(200)).body as { versions: Shown[] };
    expect(await Promise.all(versions.map(async ({ artefact }) => (await artefactClaims(artefact))['jti']))).toEqual(
      [1, 2, 3, 4, 5].map((version) => `${id}.${version}`),
    );
    const { body: history } = await wallet('get', `${own}/${id}`).expect(200);
    expect((history as { versions: object[] }).versions).toMatchObject(
      kinds.map((happened, i) => ({ happened, via: i === 0 ? 'gateway' : 'wallet' })),
    );
  });

  it('is asked for once per key; the request is signed, and of a link of one’s own', async () => {
    const { sub } = await linked();
    const body = wish(sub);
    const first = await ask('bank-a', body, 'the-same-key-2').expect(201);
    const again = await ask('bank-a', body, 'the-same-key-2').expect(200);
    expect([again.body, again.headers['idempotency-hit']]).toEqual([first.body, 'true']);
    const problem = async (made: request.Test) => {
      const { status, body: told } = await made;
      return [status, (told as { code: string }).code, (told as { field?: string }).field];
    };
    expect(await problem(ask('bank-a', { ...body, dataLifeSeconds: 61 }, 'the-same-key-2'))).toEqual([
      422,
      'idempotency.key_reused',
      undefined,
    ]);
    expect(await problem(ask('bank-b', body))).toEqual([404, 'link.unknown', '/sub']);
    expect(await problem(ask('bank-a', { ...body, purpose: 'CURIOSITY' }))).toEqual([400, 'consent.malformed', '/purpose']);
    expect(await problem(ask('bank-a', { ...body, sub: 'lnk_x' }))).toEqual([400, 'id.malformed', undefined]);
    const { signer: _, ...unsigned } = world.client('bank-a');
    const bare = world.call(unsigned, '/v1/consents', 'post').set('idempotency-key', 'unsigned-key').send(body);
    expect(await problem(bare)).toEqual([401, 'signature.missing', 'signature']);
    expect(await problem(look('bank-a', '/v1/consents?limit=201'))).toEqual([400, 'query.malformed', '/limit']);
  });

  it('is listed in pages; every read of it is told to bank and subject alike', async () => {
    const { subject, sub } = await linked('bank-b');
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.unshift(shown(await ask('bank-b', wish(sub)).expect(201)).id);
    const page = async (url: string) => (await look('bank-b', url).expect(200)).body as { consents: Shown[]; next?: string };
    const { consents, next } = await page(`/v1/consents?sub=${sub}&limit=2`);
    const rest = await page(`/v1/consents?sub=${sub}&limit=2&after=${next}`);
    expect([...consents, ...rest.consents].map(({ id }) => id)).toEqual(ids);
    expect(rest.next).toBeUndefined();

    const [id] = ids as [string];
    await wallet('post', `/v1/subjects/${subject}/consents/${id}/grant`, {}).expect(200);
    const reads = new ConsentWorld(world.fresh.database);
    const read = { participant: 'bank-b', consent: parseId('cns', id), ref: parseId('lnk', sub) };
    expect([await reads.read(read), await reads.read({ ...read, claims: ['band'] })]).toEqual([1, 2]);
    const { uses } = (await look('bank-b', `/v1/consents/${id}/uses`).expect(200)).body as { uses: JsonObject[] };
    expect(uses).toMatchObject([
      { n: 1, claims: ['score', 'band', 'factors'], version: 2 },
      { n: 2, claims: ['band'], purpose: 'CREDIT_APPLICATION' },
    ]);
    expect(uses.every((use) => !('fact' in use))).toBe(true);
    const { body: who } = await wallet('get', `/v1/subjects/${subject}/uses?limit=1`).expect(200);
    expect(who).toMatchObject({
      subject,
      uses: [{ consent: id, recipient: 'bank-b', n: 2, fact: expect.stringMatching(/^fct_/) as string }],
    });
    const { body: older } = await wallet('get', `/v1/subjects/${subject}/uses?after=${(who as { next: string }).next}`).expect(200);
    expect((older as { uses: object[] }).uses).toMatchObject([{ n: 1 }]);
    const { body: same } = await wallet('get', `/v1/subjects/${subject}/consents/${id}/uses`).expect(200);
    expect((same as { uses: object[] }).uses).toMatchObject(uses);
    expect(await command('list', subject)).toMatchObject([{ id, state: 'ACTIVE' }, { state: 'REQUESTED' }, { state: 'REQUESTED' }]);
    expect((await command('list', 'bank-b')).map((consent) => consent['id'])).toEqual(ids);
    expect((await command('show', id)).map(({ happened }) => happened)).toEqual(['consent.requested', 'consent.granted']);
    expect(await command('uses', id)).toEqual((same as { uses: object[] }).uses);
    expect((await command('uses', subject)).map(({ n }) => n)).toEqual([2, 1]);
    await expect(command('uses', `${id.slice(0, -2)}zz`)).rejects.toThrow('consent.unknown');
  });

  it('may be given back by the bank, and is unknown to every other', async () => {
    const { subject, sub } = await linked();
    const { id } = shown(await ask('bank-a', wish(sub)).expect(201));
    const stranger = (await linked()).subject;
    const nobodys = id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const answers = await Promise.all(
      ['', '/uses', '/versions'].flatMap((part) => [
        look('bank-b', `/v1/consents/${id}${part}`),
        look('bank-b', `/v1/consents/${nobodys}${part}`),
        wallet('get', `/v1/subjects/${stranger}/consents/${id}`),
      ]),
    );
    answers.push(await world.call(world.client('bank-b'), `/v1/consents/${id}/withdraw`, 'post').send({}));
    answers.push(await wallet('post', `/v1/subjects/${stranger}/consents/${id}/grant`, {}));
    expect(new Set(answers.map(({ status, body }) => `${status} ${(body as { code: string; detail: string }).code}`))).toEqual(
      new Set(['404 consent.unknown']),
    );
    await wallet('post', `/v1/subjects/${subject}/consents/${id}/grant`, {}).expect(200);
    for (let n = 0; n < 2; n++) {
      const { body } = await world.call(world.client('bank-a'), `/v1/consents/${id}/withdraw`, 'post').send({}).expect(200);
      expect(body).toMatchObject({ state: 'REVOKED', by: 'RECIPIENT', version: 3 });
    }
  });

  it('ends with its link', async () => {
    const { subject, sub } = await linked();
    const { id } = shown(await ask('bank-a', wish(sub)).expect(201));
    await wallet('post', `/v1/subjects/${subject}/links/${sub}/end`, {}).expect(200);
    expect((await look('bank-a', `/v1/consents/${id}`).expect(200)).body).toMatchObject({ state: 'REVOKED', by: 'PLATFORM' });
    expect((await ask('bank-a', wish(sub))).body).toMatchObject({ status: 404, code: 'link.unknown' });
  });

  it('has expired at its end; the worker writes it and tells the bank', async () => {
    const { sub } = await linked();
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const { id } = shown(await ask('bank-a', wish(sub, { expiresAt })).expect(201));
    const worker = await createWorker(world.config, createLogger('worker', 'silent'));
    try {
      const over = await until(async () =>
        (await heard('bank-a')).find(([kind, body]) => kind === 'consent.expired' && body['consent'] === id),
      );
      expect(over).toMatchObject(['consent.expired', { state: 'EXPIRED', by: 'PLATFORM', version: 2 }]);
    } finally {
      await worker.close();
    }
    expect((await look('bank-a', `/v1/consents/${id}`).expect(200)).body).toMatchObject({ state: 'EXPIRED', version: 2 });
  });

  it('costs nothing when a certificate is renewed, and outlives a suspension', async () => {
    const { subject, sub } = await linked();
    const { id } = shown(await ask('bank-a', wish(sub)).expect(201));
    await wallet('post', `/v1/subjects/${subject}/consents/${id}/grant`, {}).expect(200);
    const before = shown(await look('bank-a', `/v1/consents/${id}`).expect(200));
    const old = world.client('bank-a');
    const issued = (cert: string) => readIssuedCertificate(cert, world.pki(`partners/${EC_AUTHORITY}.ca.pem`));
    const pki = path.join(world.home, 'pki');
    rmSync(path.join(pki, 'clients/bank-a'), { recursive: true });
    await ensureDevelopmentPki(pki, new Date());
    await world.participants.registerCertificate('bank-a', issued(world.client('bank-a').cert));
    await world.participants.revokeCertificate('bank-a', issued(old.cert).serial, 'renewed');
    expect(shown(await look('bank-a', `/v1/consents/${id}`).expect(200))).toEqual(before);
    await world.participants.suspend('bank-a', 'test');
    await look('bank-a', `/v1/consents/${id}`).expect(403);
    await world.participants.activate('bank-a', 'test');
    expect(shown(await look('bank-a', `/v1/consents/${id}`).expect(200))).toEqual(before);
  });

  it('is documented at both doors with the body it is read by', async () => {
    const { body: gateway } = await look('bank-a', '/docs-json').expect(200);
    const post = (gateway as { paths: Record<string, { post: { requestBody: object } }> }).paths['/v1/consents']!.post;
    expect(JSON.stringify(post.requestBody)).toContain('MERCHANT_FINANCING');
    const { body: inner } = await wallet('get', '/docs-json').expect(200);
    const grant = (inner as { paths: Record<string, { post: { requestBody: object } }> }).paths[
      '/v1/subjects/{id}/consents/{consentId}/grant'
    ]!;
    expect(JSON.stringify(grant.post.requestBody)).toContain('dataLifeSeconds');
  });
});

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RATING_MEDIA_TYPE } from '#contract';
import { parsePublicJwk } from '#evidence';
import { formatId, type Refusal, type ShardedId, systemClock } from '#kernel';
import { ParticipantRegistry } from '#partners';
import { BankClient, presentRating, type ProblemError, type RatingCredentialClaims, verifyRating } from '#sdk';
import { Consents, Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

const DAY_MS = 86_400_000;

describe('ratings over mTLS', () => {
  let world: GatewayWorld;
  let subjects: Subjects;
  let consents: Consents;
  let bank: BankClient;
  let keys: { keys: readonly object[] };
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = publicKey.export({ format: 'jwk' });
  const signingKey = { kid: 'bank-a-2', alg: 'ES256' as const, privateKey };

  beforeAll(async () => {
    world = await openGatewayWorld();
    const exchange = new PgExchange(world.fresh.database);
    subjects = new Subjects(exchange, nodeClerk, systemClock);
    consents = new Consents(exchange, nodeClerk, systemClock);
    await world.participants.addKey('bank-a', parsePublicJwk({ ...own, kid: signingKey.kid, alg: signingKey.alg }));
    await world.app.get(ParticipantRegistry).refresh();
    const { ca, cert, key } = world.client('bank-a');
    bank = new BankClient({ origin: origin(), ca, cert, key, signingKey });
    keys = { keys: await bankKeys() };
  });
  afterAll(async () => {
    await bank.close();
    await world.close();
  });

  const origin = () => `https://localhost:${world.port}`;
  const bankKeys = async () => ((await world.call(world.client('bank-a'), '/.well-known/jwks.json')).body as { keys: object[] }).keys;
  const expected = (more: object = {}) => ({ keys, issuer: origin(), holder: { ownKey: own }, ...more });
  const problemOf = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (error: ProblemError) => ({ status: error.status, code: error.code }),
    );
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => 'accepted',
      (error: Refusal) => error.code,
    );

  async function linked(participant = 'bank-a') {
    const { id } = await subjects.register({ caller: 'test', key: randomUUID(), kind: 'INDIVIDUAL' });
    return { id, ref: (await subjects.link(id, { participant })).link.ref };
  }

  async function granted(
    of: { id: ShardedId; ref: ShardedId },
    scope: object,
    fetch: object = { type: 'PERIODIC', count: 100, every: 'DAY' },
  ) {
    const wish = { sub: formatId('lnk', of.ref), purpose: 'ACCOUNT_REVIEW', dataLifeSeconds: 3_600, fetch, ...scope };
    const { consent } = await consents.request('bank-a', randomUUID(), {
      ...wish,
      expiresAt: new Date(Date.now() + DAY_MS).toISOString(),
    } as never);
    await consents.act(consent.id, { kind: 'GRANT', smaller: {} }, { subject: of.id, via: 'test' });
    return { id: consent.id, name: formatId('cns', consent.id), ref: wish.sub };
  }

  async function credential(ref: string, consent: string): Promise<string> {
    const read = await bank.rating(ref, consent);
    if (!('credential' in read)) throw new Error('no credential');
    return read.credential;
  }

  const statusListOf = ({ status }: RatingCredentialClaims) => bank.statusList(status.status_list.uri);

  it('a bank reads what was allowed, verifies it offline, and it falls when the consent does', async () => {
    const of = await linked();
    const consent = await granted(of, { claims: ['score', 'band'] });
    const text = await credential(consent.ref, consent.name);
    const { value } = await verifyRating(text, expected());
    expect(value).toMatchObject({ sub: consent.ref, band: 'BASIC', disputed: false, exp: value.iat + 3_600 });
    expect(Object.keys(value)).not.toContain('factors');
    expect(text).not.toContain(of.id.uuid);
    await verifyRating(text, expected({ statusList: await statusListOf(value) }));

    await consents.act(consent.id, { kind: 'REVOKE' }, { subject: of.id, via: 'test' });
    expect(await problemOf(bank.rating(consent.ref, consent.name))).toEqual({ status: 403, code: 'consent.required' });
    // The list is remembered for some seconds.
    const revoked = async () =>
      (await codeOf(statusListOf(value).then((statusList) => verifyRating(text, expected({ statusList }))))) === 'rating.revoked';
    await expect.poll(revoked, { timeout: 30_000, interval: 500 }).toBe(true);
  });

  it('a third party sees what the bank shows it, and that it is the bank which shows it', async () => {
    const consent = await granted(await linked(), { claims: ['score', 'band', 'factors'] });
    const text = await credential(consent.ref, consent.name);
    const binding = { audience: 'https://broker.example', nonce: 'n-42' };
    const shown = await presentRating(text, { claims: ['band'], ...binding }, signingKey);
    const { value } = await verifyRating(shown, { keys, issuer: origin(), holder: binding });
    expect([value.band, value.score, value.factors]).toEqual(['BASIC', undefined, undefined]);
    const other = { ...signingKey, privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey };
    const stolen = await presentRating(text, { claims: ['band'], ...binding }, other);
    const late = new Date(Date.now() + 600_000);
    const [jwt, ...rest] = text.split('~');
    const withheld = [jwt, ...rest.filter((part) => !Buffer.from(part, 'base64url').includes('"disputed"'))].join('~');
    const rows: [text: string, more: object, code: string][] = [
      [stolen, { holder: binding }, 'key_binding.invalid'],
      [text, { holder: binding }, 'key_binding.missing'],
      [shown, { holder: { ...binding, nonce: 'n-43' } }, 'key_binding.invalid'],
      [shown, { holder: binding, at: late }, 'key_binding.invalid'],
      [text, { holder: { ownKey: generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) } }, 'rating.foreign'],
      [text, { issuer: 'https://other.example' }, 'rating.foreign'],
      [text, { at: new Date(Date.now() + DAY_MS) }, 'rating.expired'],
      [withheld, {}, 'rating.malformed'],
      [text, { statusList: 'e30.e30.AA' }, 'signature.algorithm_refused'],
    ];
    for (const [row, more, code] of rows) expect(await codeOf(verifyRating(row, expected(more)))).toBe(code);
  });

  it('is bound to the newest active key, given as what it is, and never stored on the way', async () => {
    const consent = await granted(await linked(), { claims: ['band'] });
    const answer = await world.call(world.client('bank-a'), `/v1/subjects/${consent.ref}/rating?consent=${consent.name}`);
    expect([answer.status, answer.headers['content-type'], answer.headers['cache-control']]).toEqual([200, RATING_MEDIA_TYPE, 'no-store']);
    expect(answer.headers['signature']).toBeDefined();
    const metadata = (await world.call(world.client('bank-a'), '/.well-known/jwt-vc-issuer')).body as object;
    expect(metadata).toEqual({ issuer: origin(), jwks_uri: `${origin()}/.well-known/jwks.json` });
    expect((await verifyRating(answer.text, expected())).value.cnf.jwk['kid']).toBe(signingKey.kid);
  });

  it('answers a threshold with one word, and a lost reply to the only read with the same', async () => {
    const of = await linked();
    const consent = await granted(of, { threshold: { atLeast: 600 } }, { type: 'ONETIME' });
    const path = `/v1/subjects/${consent.ref}/rating?consent=${consent.name}`;
    const bare = await world.call(world.client('bank-a'), path);
    expect([bare.status, (bare.body as { code: string }).code]).toEqual([400, 'idempotency.key_missing']);
    const idempotencyKey = randomUUID();
    const reads = [
      await bank.rating(consent.ref, consent.name, { idempotencyKey }),
      await bank.rating(consent.ref, consent.name, { idempotencyKey }),
    ];
    expect(reads).toEqual([
      { answer: 'NA', repeated: false },
      { answer: 'NA', repeated: true },
    ]);
    expect(await problemOf(bank.rating(consent.ref, consent.name))).toEqual({ status: 403, code: 'consent.required' });
  });

  it('refuses what is outside the consent and names it; another bank’s reference is as unknown as none', async () => {
    const consent = await granted(await linked(), { claims: ['band'] });
    const [other, theirs] = [formatId('lnk', (await linked()).ref), formatId('lnk', (await linked('bank-b')).ref)];
    const nobody = formatId('lnk', { shard: 0, uuid: '01939a6e-7a00-7abc-8def-ffffffffffff' });
    expect(await problemOf(bank.rating(consent.ref, consent.name, { claims: ['score'] }))).toEqual({ status: 412, code: 'consent.claims' });
    expect(await problemOf(bank.rating(consent.ref, consent.name, { purpose: 'COLLECTION' }))).toEqual({
      status: 412,
      code: 'consent.purpose',
    });
    const strangers = await Promise.all(
      [other, theirs, nobody].map(async (ref) => {
        const { status, body, headers } = await world.call(world.client('bank-a'), `/v1/subjects/${ref}/rating?consent=${consent.name}`);
        return JSON.stringify({ status, ...(body as object), instance: '', length: headers['content-length'] });
      }),
    );
    expect([new Set(strangers).size, strangers[0]]).toEqual([1, expect.stringContaining('consent.required')]);
    const malformed = await Promise.all(
      [`lnk_x/rating?consent=${consent.name}`, `${consent.ref}/rating`, `${consent.ref}/rating?consent=${consent.name}&claims=salary`].map(
        async (path) => ((await world.call(world.client('bank-a'), `/v1/subjects/${path}`)).body as { code: string }).code,
      ),
    );
    expect(malformed).toEqual(['id.malformed', 'rating.malformed', 'rating.malformed']);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request, { type Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEd25519Signer, type JsonObject, parsePublicJwk, type Signer, signJws, verifyJws } from '#evidence';
import { formatId, type ShardedId, systemClock, uuidV7 } from '#kernel';
import { Participants } from '#partners';
import { createLogger, createSigner, freePort, loadSigner, parseConfig, SIGNER_NAMES } from '#platform';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { jtiOf, rating, recordHead, violation } from '#records/testing/records';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';
import { createGateway } from '../../apps/gateway/src/start-gateway.js';
import { EC_AUTHORITY, ensureDevelopmentPki, RSA_AUTHORITY } from '../../certs/make-dev-pki.js';
import { signatureFields, signed } from '../world/sign-request.js';

let home: string;
let fresh: FreshDatabase;
let app: NestFastifyApplication;
let port: number;
let subjects: Subjects;
let subject: ShardedId;
let receiptKey: Signer;
const ref: Record<string, ShardedId> = {};
let n = 0;

const signers: Record<string, Signer> = Object.fromEntries(['bank-a', 'bank-b'].map((bank) => [bank, newSigner(`${bank}-1`)]));

function newSigner(kid: string): Signer {
  return createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
}

const pki = (name: string) => readFileSync(path.join(home, 'pki', name), 'utf8');
const unsigned = (bank: string, method: 'get' | 'post', url: string) => {
  const [cert, key] = [pki(`clients/${bank}/cert.pem`), pki(`clients/${bank}/key.pem`)];
  return request(`https://localhost:${port}`)[method](url).ca(pki('server/ca.pem')).cert(cert).key(key);
};
const as = (bank: string, method: 'get' | 'post', url: string) => {
  const made = unsigned(bank, method, url);
  return method === 'get' ? made : signed(made, { method: 'POST', targetUri: `https://localhost:${port}${url}` }, signers[bank]!);
};

const head = (bank: string) => recordHead(bank, ref[bank]!, ++n, new Date());
const rated = (bank: string, score: number) => ({ ...head(bank), kind: 'rating', rating: rating(score) });
const jws = (record: object, signer: Signer) => signJws('credit-record+jwt', record as JsonObject, signer);
const post = (bank: string, body: string | Buffer) => as(bank, 'post', '/v1/records').set('content-type', 'application/jose').send(body);
const submit = (record: object, bank = 'bank-a', signer = signers[bank]!) => post(bank, jws(record, signer));
const codeOf = (answer: Response) => [answer.status, (answer.body as { code?: string }).code];
const receiptOf = (answer: Response) => (answer.body as { receipt: string }).receipt;

interface Heard {
  readonly kind: string;
  readonly ref: string;
  readonly body: Record<string, unknown>;
}

/** Takes, verifies and acknowledges what waits for a bank. */
async function hear(bank: string): Promise<Heard[]> {
  const answer = await as(bank, 'post', '/v1/events/poll').send({ returnImmediately: true }).expect(200);
  const { sets } = answer.body as { sets: Record<string, string> };
  const key = { kid: receiptKey.kid, alg: 'EdDSA' as const, jwk: receiptKey.publicJwk, state: 'ACTIVE' as const };
  const tokens = await Promise.all(Object.values(sets).map((set) => verifyJws(Buffer.from(set), 'secevent+jwt', () => key)));
  await as(bank, 'post', '/v1/events/poll')
    .send({ maxEvents: 0, ack: Object.keys(sets) })
    .expect(200);
  return tokens.map(({ value }) => {
    const { events, sub_id: about } = value.payload as { events: Record<string, Record<string, unknown>>; sub_id: { id: string } };
    const [uri, body] = Object.entries(events)[0]!;
    return { kind: uri.split(':').at(-1)!, ref: about.id, body };
  });
}

async function newCustomer(): Promise<void> {
  subject = (await subjects.register({ caller: 'checkout', key: `key-${++n}`, kind: 'INDIVIDUAL' })).id;
  for (const participant of ['bank-a', 'bank-b']) ref[participant] = (await subjects.link(subject, { participant })).link.ref;
}

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'records-'));
  fresh = await freshDatabase();
  port = await freePort();
  const config = parseConfig({
    TALLYSTICK_ENV: 'test',
    TALLYSTICK_HOME: home,
    DATABASE_URL: fresh.url,
    LOG_LEVEL: 'silent',
    GATEWAY_ORIGIN: `https://localhost:${port}`,
    GATEWAY_PORT: String(port),
  });
  await ensureDevelopmentPki(path.join(home, 'pki'), new Date());
  for (const name of SIGNER_NAMES) createSigner(config, name);
  receiptKey = loadSigner(config, 'receipt');
  app = await createGateway(config, createLogger('test', 'silent'), { handshakesPerSecondMax: 10_000 });
  const participants = app.get(Participants);
  for (const [id, authority] of Object.entries({ 'bank-a': EC_AUTHORITY, 'bank-b': RSA_AUTHORITY })) {
    const certificate = readIssuedCertificate(pki(`clients/${id}/cert.pem`), pki(`partners/${authority}.ca.pem`));
    const { kid, alg, jwk } = parsePublicJwk({ ...signers[id]!.publicJwk });
    await participants.enrol({ id, name: id, certificate, keys: [{ kid, alg, jwk }] });
    await participants.activate(id, 'test');
  }
  subjects = new Subjects(new PgExchange(fresh.database), nodeClerk, systemClock);
  await newCustomer();
  await app.listen(port, '127.0.0.1');
});

afterAll(async () => {
  await app?.close();
  await fresh?.close();
  rmSync(home, { recursive: true, force: true });
});

describe('a credit record over mTLS', () => {
  it('is accepted, and its receipt verifies', async () => {
    const record = rated('bank-a', 820);
    const answer = await submit(record).expect(201);
    const key = { kid: receiptKey.kid, alg: 'EdDSA' as const, jwk: receiptKey.publicJwk, state: 'ACTIVE' as const };
    const { value } = await verifyJws(Buffer.from(receiptOf(answer)), 'record-receipt+jwt', () => key);
    expect(value.payload).toMatchObject({ iss: `https://localhost:${port}`, sub: record.jti, inclusion_promise_seconds: 10 });
    expect(answer.headers['location']).toBe(`/v1/records/${record.jti}`);
  });

  it('repeated, also under another valid signature, gets the first receipt; the first bytes are kept', async () => {
    const record = rated('bank-a', 800);
    const sent = jws(record, signers['bank-a']!);
    const first = await post('bank-a', sent).expect(201);
    const again = await submit(record).expect(200);
    expect([receiptOf(again), again.headers['idempotency-hit']]).toEqual([receiptOf(first), 'true']);
    const kept = await as('bank-a', 'get', `/v1/records/${record.jti}`).expect(200);
    expect(kept.body).toMatchObject({ jti: record.jti, seq: record.seq, kind: 'rating', jws: sent });
    const receipt = await as('bank-a', 'get', `/v1/records/${record.jti}/receipt`).expect(200);
    expect(receipt.body).toMatchObject({ receipt: receiptOf(first) });
  });

  it('posted twenty times at once has one effect', async () => {
    const record = rated('bank-a', 760);
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit(record)));
    expect(new Set(answers.map(receiptOf)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(19).fill(200), 201]);
    const [kept] = await fresh.database.query<{ count: bigint }>('SELECT count(*) FROM records WHERE jti = $1', [record.jti]);
    expect(kept?.count).toBe(1n);
  });

  it('with another payload under its names is refused and kept as evidence', async () => {
    const record = rated('bank-a', 700);
    await submit(record).expect(201);
    expect(codeOf(await submit({ ...record, rating: rating(900) }))).toEqual([409, 'record.equivocation']);
    const evidence = await fresh.database.query('SELECT jws FROM record_equivocations WHERE jti = $1', [record.jti]);
    expect(evidence).toHaveLength(1);
  });

  it('is refused with a code that says why, and leaves nothing', async () => {
    const good = rated('bank-a', 700);
    const stranger = newSigner('stranger-1');
    const rows: [answer: Response, status: number, code: string][] = [
      [await submit({ ...good, seq: 1_000_000, iss: 'bank-b' }), 403, 'record.issuer_mismatch'],
      [await submit(good, 'bank-b', signers['bank-a']), 401, 'signature.key_unknown'],
      [await submit(good, 'bank-a', stranger), 401, 'signature.key_unknown'],
      [await submit({ ...good, note: 1 }), 400, 'record.malformed'],
      [await submit({ ...good, sub: formatId('lnk', ref['bank-b']!) }), 404, 'link.unknown'],
      [await submit({ ...good, seq: good.seq - 1 }), 409, 'record.seq_reused'],
      [await post('bank-a', Buffer.alloc(65_537, 'a')), 413, 'body.too_large'],
      [await post('bank-a', Buffer.alloc(5 * 1024 * 1024, 'a')), 413, 'body.too_large'],
      [await as('bank-a', 'post', '/v1/records').send({}), 415, 'media_type.unsupported'],
    ];
    expect(rows.map(([answer]) => codeOf(answer))).toEqual(rows.map(([, status, code]) => [status, code]));
    await submit(good).expect(201);
  });

  it('sent again as it was, its request’s signature and all, is refused, whatever became of it the first time', async () => {
    const [record, other] = [rated('bank-a', 700), rated('bank-a', 705)];
    await submit(other).expect(201);
    const rows: [what: string, body: string, answer: (number | string | undefined)[]][] = [
      ['accepted', jws(record, signers['bank-a']!), [201, undefined]],
      ['repeated', jws(other, signers['bank-a']!), [200, undefined]],
      ['an equivocation', jws({ ...other, rating: rating(900) }, signers['bank-a']!), [409, 'record.equivocation']],
      ['of no link', jws({ ...rated('bank-a', 700), sub: formatId('lnk', ref['bank-b']!) }, signers['bank-a']!), [404, 'link.unknown']],
      ['another’s', jws(rated('bank-b', 700), signers['bank-a']!), [403, 'record.issuer_mismatch']],
      ['no JWS', 'nonsense', [400, 'signature.malformed']],
    ];
    const target = { method: 'POST', targetUri: `https://localhost:${port}/v1/records` };
    for (const [what, body, answer] of rows) {
      const fields = signatureFields(target, Buffer.from(body), signers['bank-a']!);
      const send = () =>
        unsigned('bank-a', 'post', '/v1/records')
          .set({ ...fields, 'content-type': 'application/jose' })
          .send(body);
      expect([what, ...codeOf(await send())]).toEqual([what, ...answer]);
      expect([what, ...codeOf(await send())]).toEqual([what, 401, 'nonce.replayed']);
    }
  });

  it('is its issuer’s alone: anyone else is answered as for an unknown one', async () => {
    const record = rated('bank-a', 710);
    await submit(record).expect(201);
    for (const suffix of ['', '/receipt']) {
      const foreign = await as('bank-b', 'get', `/v1/records/${record.jti}${suffix}`).expect(404);
      const unknown = await as('bank-b', 'get', `/v1/records/${jtiOf(0xffffff)}${suffix}`).expect(404);
      const plain = ({ body }: Response) => ({ ...(body as object), instance: '' });
      expect(plain(foreign)).toEqual(plain(unknown));
    }
  });

  it('is refused on an ended link, except for what the bank still owes', async () => {
    await newCustomer();
    const record = rated('bank-b', 700);
    await submit(record, 'bank-b').expect(201);
    await subjects.endLink(subject, ref['bank-b']!);
    expect(codeOf(await submit(rated('bank-b', 700), 'bank-b'))).toEqual([409, 'link.ended']);
    await submit(record, 'bank-b').expect(200);
    const owed = { ...head('bank-b'), kind: 'correction', correction: { replaces: record.jti, rating: rating(650) } };
    await submit(owed, 'bank-b').expect(201);
  });
});

describe('a violation', () => {
  it('stops services, the other bank hears of it, and a clearance lifts it', async () => {
    await newCustomer();
    await Promise.all([hear('bank-a'), hear('bank-b')]);
    const standing = async () => (await new PgStandingReader(fresh.database).load([subject]))[0]!;
    const reported = { ...head('bank-b'), kind: 'violation', violation: violation('SEVERE', new Date()) };
    await submit(reported, 'bank-b').expect(201);
    expect((await standing()).restrictions).toMatchObject([{ step: 'SERVICE_STOP', services: [] }]);
    const told = await hear('bank-a');
    expect(told.map((event) => [event.kind, event.ref])).toEqual([
      ['violation.reported', formatId('lnk', ref['bank-a']!)],
      ['rating.changed', formatId('lnk', ref['bank-a']!)],
      ['restriction.imposed', formatId('lnk', ref['bank-a']!)],
    ]);
    await submit({ ...head('bank-b'), kind: 'clearance', clearance: { clears: reported.jti } }, 'bank-b').expect(201);
    expect((await standing()).restrictions).toEqual([]);
    const lifted = (await hear('bank-a')).find(({ kind }) => kind === 'restriction.lifted');
    expect(lifted?.body['restriction']).toBe(told[2]?.body['restriction']);
  });
});

describe('polling', () => {
  it('refuses what RFC 8936 gives another form, by field, and passes over what it does not know', async () => {
    const poll = (body: object) => as('bank-a', 'post', '/v1/events/poll').send(body);
    const refused = await poll({ maxEvents: 'all' });
    expect([...codeOf(refused), (refused.body as { field: string }).field]).toEqual([400, 'poll.malformed', '/maxEvents']);
    const own = { setErrs: { [uuidV7(0, Buffer.alloc(10))]: { err: 'later', ticket: 7 } }, receiver: 'generic 1.0' };
    await poll({ maxEvents: 0, returnImmediately: true, ...own }).expect(200);
  });

  it('waits for an event when asked to', async () => {
    await hear('bank-a');
    const waiting = as('bank-a', 'post', '/v1/events/poll').send({}).expect(200);
    const started = waiting.then((answer) => answer);
    await newCustomer();
    const { sets } = (await started).body as { sets: object };
    expect(Object.keys(sets)).toHaveLength(1);
  });
});

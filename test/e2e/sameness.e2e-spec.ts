import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import type { Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Sealer } from '#audit';
import { createSealer } from '#audit/adapters/audit-wiring';
import { packItem, parsePublicJwk, type SetStatement, type SetTree } from '#evidence';
import { type ShardedId, shardOf, systemClock } from '#kernel';
import { createLogger } from '#platform';
import { rating, recordHead } from '#records/testing/records';
import { BankClient, GatewayClient, RecordFile, Refusal, type SigningKey, signRecord, verifySetAgreement } from '#sdk';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { register } from '../../apps/cli/src/commands/verify.js';
import { reconcileRecords } from '../../libs/sdk/src/record-set/reconcile-records.js';
import { signStatement } from '../../libs/sdk/src/record-set/state-set.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

let world: GatewayWorld;
let sealer: Sealer;
let bank: BankClient;
let key: SigningKey;
const ref: Record<string, ShardedId> = {};
let n = 0;

const file = (name: string) => path.join(world.home, name);
const rated = (who = 'bank-a') => ({ ...recordHead(who, ref[who]!, ++n, new Date()), kind: 'rating', rating: rating(700) });
const sealed = { sealedMsMax: 20_000 };

beforeAll(async () => {
  world = await openGatewayWorld();
  sealer = await createSealer(world.fresh.database, world.config, createLogger('test', 'silent'));
  const subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
  const { id } = await subjects.register({ caller: 'test', key: 'one', kind: 'INDIVIDUAL' });
  for (const participant of ['bank-a', 'bank-b']) ref[participant] = (await subjects.link(id, { participant })).link.ref;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await world.participants.addKey('bank-a', parsePublicJwk({ ...publicKey.export({ format: 'jwk' }), kid: 'sets', alg: 'EdDSA' }));
  key = { kid: 'sets', alg: 'EdDSA', privateKey };
  bank = new BankClient({ origin: world.config.GATEWAY_ORIGIN, ...transport(), signingKey: key });
}, 60_000);

afterAll(async () => {
  await bank?.close();
  await world?.close();
});

function transport() {
  const { ca, cert, key: tlsKey } = world.client('bank-a');
  return { ca, cert, key: tlsKey };
}

/** Records that both sides hold, sealed in the log; the bank keeps them in a file. */
async function sharedRecords(name: string, count: number): Promise<RecordFile> {
  const kept = await everything(name);
  for (let i = 0; i < count; i++) {
    const jws = await signRecord(rated(), key);
    await kept.append(jws);
    await bank.submitRecord(jws);
  }
  await sealer.sealOnce();
  return kept;
}

/** A new file with all that bank A has had accepted in the tests before. */
async function everything(name: string): Promise<RecordFile> {
  const rows = await world.fresh.database.query<{ jws: Buffer }>(`SELECT jws FROM records WHERE iss = 'bank-a' ORDER BY accepted_at, jti`);
  writeFileSync(file(name), rows.map(({ jws }) => `${jws.toString('latin1')}\n`).join(''));
  return await RecordFile.open(file(name));
}

/** The log goes on being sealed while a reconciliation waits for it. */
async function whileSealing<T>(work: Promise<T>): Promise<T> {
  let done = false;
  const ended = work.finally(() => (done = true));
  const sealing = (async () => {
    while (!done) {
      await sealer.sealOnce();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return await ended.finally(() => sealing);
}

const call = (url: string, who = 'bank-a') => world.call(world.client(who), url);
const post = (url: string, type: string, body: string | Buffer, who = 'bank-a') =>
  world.call(world.client(who), url, 'post').set('content-type', type).send(body);
const codeOf = (answer: Response) => [answer.status, (answer.body as { code?: string }).code];
const lookNow = async (who = 'bank-a') =>
  (await call('/v1/record-sets/issued', who).expect(200)).body as { logIndex: string; count: number };

async function verifyByCommand(document: unknown): Promise<{ code: number; output: string }> {
  writeFileSync(file('statement.json'), JSON.stringify(document));
  const printed = (['log', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => undefined));
  try {
    const program = new Command('tallystick').exitOverride();
    register(program);
    await program.parseAsync(['verify', file('statement.json'), '--key', file('log/vkey')], { from: 'user' });
    const output = printed.flatMap(({ mock }) => mock.calls.map(([line]) => String(line))).join('\n');
    return { code: Number(process.exitCode ?? 0), output };
  } finally {
    process.exitCode = 0;
    for (const spy of printed) spy.mockRestore();
  }
}

describe('a bank that compares its records with ours', () => {
  it('agrees where both hold the same; both halves verify offline, and a fact tells of them', async () => {
    const kept = await sharedRecords('same', 40);
    const result = await bank.reconcileRecords(kept);
    expect(result).toMatchObject({ outcome: 'AGREED', have: [], need: [], count: 40, rounds: 1 });
    const { own, counter } = await verifySetAgreement(result.agreement!, { keys: await gatewayKeys() });
    expect([own.iss, counter.iss, counter.count, own.set]).toEqual(['bank-a', world.config.GATEWAY_ORIGIN, 40, 'issued']);
    const facts = await world.fresh.database.query<{ body: string; participant: string }>(
      `SELECT body, participant FROM facts WHERE shard = $1 AND kind = 'record_set.agreed'`,
      [shardOf('bank-a')],
    );
    expect(facts.map(({ body, participant }) => [participant, (JSON.parse(body) as { count: number }).count])).toEqual([['bank-a', 40]]);
    const { code, output } = await verifyByCommand(result.agreement);
    expect([code, output]).toEqual([0, expect.stringContaining('VERIFIED')]);
    expect(output).toContain('40 records');
    const listed = (await call('/v1/record-sets/issued/statements').expect(200)).body as { statements: object[] };
    expect(listed.statements).toMatchObject([{ count: 40, gateway: result.agreement!.gateway }]);
    await kept.close();
  });

  it('heals what either side lacks, also what was lost on the way, and agrees then', async () => {
    const kept = await sharedRecords('shared', 60);
    await kept.close();
    const lines = readFileSync(file('shared'), 'utf8').trim().split('\n');
    const unsent = await Promise.all(Array.from({ length: 5 }, () => signRecord(rated(), key)));
    writeFileSync(file('holed'), [...lines.filter((_, i) => i % 20 !== 3), ...unsent, ''].join('\n'));
    const holed = await RecordFile.open(file('holed'));
    const lost = lines.filter((_, i) => i % 20 === 3).length;
    const told = await bank.reconcileRecords(holed);
    expect([told.outcome, told.have.length, told.need.length, told.submitted]).toEqual(['DIFFERENT', 5, lost, 0]);
    const healed = await whileSealing(bank.reconcileRecords(holed, { heal: true, ...sealed }));
    expect(healed).toMatchObject({ outcome: 'AGREED', submitted: 5, adopted: lost, refused: [], count: lines.length + 5 });
    await holed.close();
    const again = await RecordFile.open(file('holed'));
    expect(await bank.reconcileRecords(again)).toMatchObject({ outcome: 'AGREED', have: [], need: [] });
    await again.close();
  });

  it('tells what cannot be healed: another payload of ours under one name stays different', async () => {
    const kept = await sharedRecords('equivocal', 3);
    const record = rated();
    await bank.submitRecord(await signRecord(record, key));
    await sealer.sealOnce();
    await kept.append(await signRecord({ ...record, rating: rating(900) }, key));
    const result = await whileSealing(bank.reconcileRecords(kept, { heal: true, ...sealed }));
    expect(result).toMatchObject({ outcome: 'DIFFERENT', adopted: 1, refused: [{ code: 'record.equivocation' }] });
    expect(result.agreement).toBeUndefined();
    await kept.close();
  });

  it('goes on while records come in: the snapshot stands still, and `before` leaves the new ones out', async () => {
    const kept = await sharedRecords('moving', 5);
    const snapshot = await lookNow();
    const before = Math.floor(Date.now() / 1_000);
    const young = Array.from({ length: 10 }, () => ({ ...rated(), iat: before + 30 }));
    for (const record of young) await bank.submitRecord(await signRecord(record, key));
    await sealer.sealOnce();
    const now = await lookNow();
    expect(now.count).toBe(snapshot.count + 10);
    expect((await call(`/v1/record-sets/issued?logIndex=${snapshot.logIndex}`).expect(200)).body).toEqual(snapshot);
    expect(await bank.reconcileRecords(kept, { before: before + 30 })).toMatchObject({ outcome: 'AGREED', count: snapshot.count });
    expect(await bank.reconcileRecords(kept)).toMatchObject({ outcome: 'DIFFERENT', need: { length: 10 } });
    await kept.close();
  });
});

async function gatewayKeys(): Promise<object[]> {
  return ((await call('/.well-known/jwks.json').expect(200)).body as { keys: object[] }).keys;
}

async function stated(change: Partial<SetStatement>, signer = key): Promise<string> {
  const statement = { iss: 'bank-a', aud: world.config.GATEWAY_ORIGIN, iat: Math.floor(Date.now() / 1_000), set: 'issued' };
  return await signStatement({ ...statement, logIndex: 0n, count: 0, root: new Uint8Array(32), ...change }, signer);
}

describe('what is stated of a set', () => {
  const state = async (jws: string) => codeOf(await post('/v1/record-sets/issued/statements', 'application/jose', jws));

  it('is agreed only where it is right, ours, and said now', async () => {
    const { logIndex, count } = await lookNow();
    const place = { logIndex: BigInt(logIndex), count };
    const differs = await post('/v1/record-sets/issued/statements', 'application/jose', await stated(place));
    expect(codeOf(differs)).toEqual([409, 'record_set.differs']);
    expect(differs.body).toMatchObject({ logIndex, count, root: expect.stringMatching(/^[\w-]{43}$/) as string });
    expect(await state(await stated({ iss: 'bank-b' }))).toEqual([403, 'record_set.issuer_mismatch']);
    expect(await state(await stated({ aud: 'https://elsewhere' }))).toEqual([422, 'record_set.audience']);
    expect(await state(await stated({ iat: 1_700_000_000 }))).toEqual([422, 'record_set.statement_time']);
    expect(await state(await stated({ set: 'other' }))).toEqual([422, 'record_set.other_set']);
    expect(await state(await stated({ logIndex: place.logIndex + 1_000n }))).toEqual([422, 'record_set.log_index']);
    expect(await state(await stated({}, { ...key, kid: 'nobody' }))).toEqual([401, 'signature.key_unknown']);
    expect(codeOf(await post('/v1/record-sets/all/statements', 'application/jose', await stated({ set: 'all' })))).toEqual([
      404,
      'record_set.unknown',
    ]);
  });

  it('a second time is a repetition, also many times at once: one statement, one fact', async () => {
    const kept = await everything('again');
    const { agreement } = await bank.reconcileRecords(kept, { before: 1_800_000_000 });
    const [own] = [await verifySetAgreement(agreement!, { keys: await gatewayKeys() })].map(({ own }) => own);
    const fresh = await Promise.all(
      [1, 2, 3, 4].map(() => stated({ ...own!, iat: Math.floor(Date.now() / 1_000), before: 1_800_000_001 })),
    );
    const answers = await Promise.all(fresh.map((jws) => post('/v1/record-sets/issued/statements', 'application/jose', jws)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => (body as { gateway: string }).gateway)).size).toBe(1);
    const [facts] = await world.fresh.database.query<{ count: bigint }>(
      `SELECT count(*) FROM facts WHERE kind = 'record_set.agreed' AND body LIKE '%1800000001%'`,
    );
    expect(facts?.count).toBe(1n);
    await kept.close();
  });

  it('with one half changed or exchanged is not verified', async () => {
    const kept = await everything('forged');
    const { agreement } = await bank.reconcileRecords(kept, { before: 1_900_000_000 });
    const [, payload] = agreement!.participant.split('.');
    const resigned = await stated({ count: 1, logIndex: 1n });
    for (const forged of [
      { participant: resigned },
      { participant: agreement!.participant.replace(payload!, `${payload!.slice(0, -4)}AAAA`) },
    ]) {
      expect((await verifyByCommand({ ...agreement, ...forged })).code).toBe(1);
    }
    await kept.close();
  });
});

describe('the door', () => {
  const reconcile = (query: string, body: Buffer, who?: string) =>
    post(`/v1/record-sets/issued/reconcile${query}`, 'application/octet-stream', body, who);

  it('refuses what is no message, too long a message, and no snapshot, each by its code', async () => {
    const { logIndex } = await lookNow();
    expect(codeOf(await reconcile(`?logIndex=${logIndex}`, Buffer.from([0x61, 0, 0, 9])))).toEqual([400, 'reconcile.malformed']);
    expect(codeOf(await reconcile(`?logIndex=${logIndex}`, Buffer.alloc(256 * 1024 + 1, 0x61)))).toEqual([413, 'reconcile.too_large']);
    expect(codeOf(await reconcile('', Buffer.from([0x61])))).toEqual([400, 'query.malformed']);
    expect(codeOf(await reconcile('?logIndex=99999999', Buffer.from([0x61])))).toEqual([422, 'record_set.log_index']);
    expect(codeOf(await reconcile('?logIndex=1&cursor=2', Buffer.from([0x61])))).toEqual([400, 'query.unknown_field']);
    expect(codeOf(await post(`/v1/record-sets/issued/reconcile?logIndex=1`, 'application/json', '{}'))).toEqual([
      415,
      'media_type.unsupported',
    ]);
    expect(codeOf(await call('/v1/record-sets/everybody'))).toEqual([404, 'record_set.unknown']);
    expect(codeOf(await post('/v1/record-sets/issued/records', 'application/json', '{"ids":["x"]}'))).toEqual([
      400,
      'record_ids.malformed',
    ]);
  });

  it('shows each bank its own records and no others’', async () => {
    expect(await lookNow('bank-b')).toMatchObject({ count: 0 });
    const kept = await everything('own');
    const id = Buffer.from(kept.tree().at(0).id).toString('base64url');
    const ask = async (who: string) =>
      (await post('/v1/record-sets/issued/records', 'application/json', JSON.stringify({ ids: [id] }), who)).body as object;
    expect(await ask('bank-a')).toMatchObject({ records: [{ id }], unknown: [] });
    expect(await ask('bank-b')).toEqual({ records: [], unknown: [id] });
    await kept.close();
  });
});

describe('a gateway that does not play by the rules', () => {
  type Twist = (path: string, body: Uint8Array) => Uint8Array;
  let client: GatewayClient;
  let all: RecordFile;

  beforeAll(async () => {
    client = new GatewayClient({ origin: world.config.GATEWAY_ORIGIN, ...transport(), signingKey: key });
    all = await sharedRecords('all', 3);
  });
  afterAll(async () => {
    await all?.close();
    await client?.close();
  });

  /** The real gateway, but for what `twist` makes of its answers. */
  async function against(twist: Twist, tree: SetTree, heal = false): Promise<unknown> {
    const send: GatewayClient['send'] = async (asked) => {
      const answer = await client.send(asked);
      const body = twist(asked.path, answer.body);
      return { ...answer, body, json: () => JSON.parse(Buffer.from(body).toString()) as unknown };
    };
    const gateway = { send, fetchKeys: () => client.fetchKeys() };
    const party = { gateway, participant: 'bank-a', origin: world.config.GATEWAY_ORIGIN, signingKey: key };
    const local = { tree: () => tree, kept: (ids: readonly string[]) => all.kept(ids), add: () => Promise.resolve() };
    const limits = { roundsMax: 20, bytesMax: 1_000_000, differencesMax: 500 };
    const told = reconcileRecords(party, local, { heal, limits });
    return await told.catch((error: unknown) => (error instanceof Refusal ? error.code : error));
  }
  const messages =
    (change: (body: Uint8Array) => Uint8Array): Twist =>
    (url, body) =>
      url.includes('/reconcile?') ? change(body) : body;
  const allButOne = () => all.tree().without(packItem(all.tree().at(2).timestamp, all.tree().at(2).id, 0));

  it('plays by them where nothing is twisted', async () => {
    expect(await against((_, body) => body, all.tree())).toMatchObject({ outcome: 'AGREED' });
  });

  it('that says "different" for ever is left', async () => {
    let lie = 0;
    const lying = messages(() => Buffer.concat([Buffer.from([0x61, 0, 0, 1]), Buffer.alloc(16, ++lie)]));
    expect(await against(lying, all.tree())).toBe('reconcile.rounds');
  });

  it('that floods with ids is left', async () => {
    const ids = Buffer.alloc(1_000 * 32);
    for (let i = 0; i < 1_000; i++) ids.writeUInt32BE(i, i * 32);
    const flooding = messages(() => Buffer.concat([Buffer.from([0x61, 0, 0, 2, 0x87, 0x68]), ids]));
    expect(await against(flooding, all.tree())).toBe('reconcile.differences');
  });

  it('that stops in the middle of a message is not taken for one that is done', async () => {
    expect(
      await against(
        messages((body) => Buffer.concat([body, Buffer.from([0x80])])),
        all.tree(),
      ),
    ).toBe('reconcile.malformed');
  });

  it('that says "alike" of what is not gets nowhere: the roots differ', async () => {
    expect(
      await against(
        messages(() => Buffer.from([0x61])),
        allButOne(),
      ),
    ).toMatchObject({ outcome: 'DIFFERENT' });
  });

  it('that gives another record than the one asked for is not believed', async () => {
    const other = readFileSync(file('all'), 'utf8').split('\n')[0]!;
    const robbing: Twist = (url, body) => {
      if (!url.endsWith('/records')) return body;
      const answer = JSON.parse(Buffer.from(body).toString()) as { records: object[] };
      return Buffer.from(JSON.stringify({ ...answer, records: answer.records.map((record) => ({ ...record, jws: other })) }));
    };
    const last = all.tree().at(all.tree().size - 1);
    const less = all.tree().without(packItem(last.timestamp, last.id, 0));
    expect(await against(robbing, less, true)).toBe('reconcile.false_record');
  });

  it('that gives the halves of another agreement is found out', async () => {
    const earlier = (await call('/v1/record-sets/issued/statements').expect(200)).body as { statements: object[] };
    const swapping: Twist = (url, body) => (url.endsWith('/statements') ? Buffer.from(JSON.stringify(earlier.statements.at(-1))) : body);
    expect(await against(swapping, all.tree())).toBe('record_set.halves_differ');
  });
});

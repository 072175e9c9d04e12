import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CreditRecord } from '#contract';
import { formatId, type Refusal, type ShardedId, uuidV7 } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { type LineOutcome, ReceiveBatch, type RecordBatch, RunBatch } from '#records';
import { FsBatchFiles } from '#records/adapters/fs-batch-files';
import { PgBatchStore } from '#records/adapters/pg-batch-store';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { bankKey, performance, rating, signed, violation } from '#records/testing/records';
import { AcceptLines } from '../batch/accept-lines.js';
import type { LineExchange } from '../batch/line-books.js';
import { ExchangeWorld, receiptSigner } from '../testing/exchange-world.js';
import { createNotary } from './node-notary.js';
import { PgEventQueue } from './pg-event-queue.js';
import { PgExchange } from './pg-exchange.js';
import { PgLineExchange } from './pg-line-exchange.js';
import { PgStandingReader } from './pg-standing-reader.js';
import { pageReader } from './read-record.js';

let fresh: FreshDatabase;
let folder: string;
let files: FsBatchFiles;
let store: PgBatchStore;
let world: ExchangeWorld;
let subject: ShardedId;
let ref: ShardedId;
let n = 0;
let ids = 0;

beforeAll(async () => {
  fresh = await freshDatabase();
  folder = mkdtempSync(path.join(tmpdir(), 'batches-'));
  files = new FsBatchFiles(folder, { bytesMax: 4_000_000, linesMax: 2_000 });
  store = new PgBatchStore(fresh.database);
  world = new ExchangeWorld({
    exchange: new PgExchange(fresh.database),
    queue: new PgEventQueue(fresh.database),
    reader: new PgStandingReader(fresh.database),
    factKinds: async () => [],
  });
});

afterAll(async () => {
  await fresh.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  subject = await world.subject();
  ref = await world.link(subject, 'bank-a');
});

const rated = (about = ref) => world.record('bank-a', about, ++n, { kind: 'rating', rating: rating(800) });
const lineOf = (record: CreditRecord) => Buffer.from(signed(record));
const textOf = (lines: readonly (Buffer | string)[]) => Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));

async function* inPieces(bytes: Buffer, size = 1_000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function receive(bytes: Buffer, encoding?: string) {
  const receiver = new ReceiveBatch(store, world.clock, (at) => uuidV7(at.getTime(), Buffer.from(`${++ids}`.padStart(10, '0'))));
  return await receiver.receive('bank-a', await files.spool(inPieces(bytes), encoding));
}

function runner(exchange: LineExchange = new PgLineExchange(fresh.database)): RunBatch {
  const reader = pageReader({ findKey: (_id, kid) => (kid === bankKey.kid ? bankKey : undefined) }, files);
  const notary = createNotary('https://gateway.test', receiptSigner);
  return new RunBatch(store, files, new AcceptLines(exchange, world.accept, reader, notary, world.clock), world.clock);
}

/** The lines' outcomes as `ACCEPTED` or the code of the refusal. */
async function outcomesOf({ id }: RecordBatch): Promise<string[]> {
  const outcomes: LineOutcome[] = [];
  for (let page = await store.outcomes(id, 0, 7, false); page.length > 0; page = await store.outcomes(id, page.at(-1)!.line, 7, false)) {
    outcomes.push(...page);
  }
  return outcomes.map(({ line, outcome, code }) => `${line} ${code ?? outcome}`);
}

async function sent(lines: readonly (Buffer | string)[]): Promise<{ batch: RecordBatch; outcomes: string[] }> {
  const { batch } = await receive(textOf(lines));
  expect(await runner().run(batch.id)).toBe('done');
  return { batch: (await store.find(batch.id))!, outcomes: await outcomesOf(batch) };
}

describe('a batch of records', () => {
  it('gives every line the outcome it would have had alone, and stops at none', async () => {
    const first = rated();
    const stranger = await world.link(await world.subject(), 'bank-b');
    const bad = violation('MAJOR', world.clock.now());
    const reported = world.record('bank-a', ref, ++n, { kind: 'violation', violation: bad });
    const lines = [
      lineOf(first),
      '',
      lineOf(first),
      lineOf(world.record('bank-a', ref, ++n, { kind: 'performance', performance: performance('11') })),
      'not a JWS',
      lineOf({ ...rated(), seq: first.seq } as CreditRecord),
      lineOf({ ...first, asOf: new Date(Date.parse(first.asOf) - 1_000).toISOString() } as CreditRecord),
      lineOf(rated(stranger)),
      `${lineOf(rated()).toString()}\r`,
      lineOf(reported),
      lineOf(world.record('bank-a', ref, ++n, { kind: 'clearance', clearance: { clears: reported.jti } })),
      lineOf(world.record('bank-a', ref, ++n, { kind: 'withdrawal', withdrawal: { replaces: first.jti } })),
      'x'.repeat(70_000),
      `"${lineOf(rated()).toString()}"`,
    ];
    const { batch, outcomes } = await sent(lines);
    expect(outcomes).toEqual([
      ...['1 ACCEPTED', '3 REPEATED', '4 ACCEPTED', '5 signature.malformed', '6 record.seq_reused', '7 record.equivocation'],
      ...['8 link.unknown', '9 ACCEPTED', '10 ACCEPTED', '11 ACCEPTED', '12 ACCEPTED', '13 body.too_large', '14 ACCEPTED'],
    ]);
    expect(batch).toMatchObject({ state: 'DONE', linesTotal: 13, accepted: 7, repeated: 1, refused: 5 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('marks its subjects, which the next review judges', async () => {
    const before = await world.standing(subject);
    await sent([lineOf(rated()), lineOf(rated())]);
    expect((await world.standing(subject))?.version).toBe(before?.version);
    await world.review.run();
    expect((await world.standing(subject))!.score.value).toBeGreaterThan(before!.score.value);
  });

  it('gives each record the receipt that a repetition of it gets', async () => {
    const record = rated();
    await sent([lineOf(record)]);
    const { receipt, repeated } = await world.send(record);
    expect(repeated).toBe(true);
    expect((await new PgRecordBook(fresh.database).receiptsOf('bank-a', [record.jti])).get(record.jti)).toBe(receipt);
  });

  it('sent again is the same batch, also when it is zipped', async () => {
    const bytes = textOf([lineOf(rated())]);
    const first = await receive(bytes);
    const again = await receive(gzipSync(bytes), 'gzip');
    expect([first.repeated, again.repeated, again.batch.id]).toEqual([false, true, first.batch.id]);
    await runner().run(first.batch.id);
    expect((await receive(bytes)).batch.state).toBe('DONE');
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['batch.empty', textOf(['', '\r']), undefined],
    ['batch.coding_broken', gzipSync(textOf([Buffer.alloc(3_000, 'x')])).subarray(0, 20), 'gzip'],
    ['batch.coding_broken', Buffer.from('plain'), 'gzip'],
    ['batch.too_large', textOf(Array.from({ length: 2_001 }, () => 'x')), undefined],
    ['batch.too_large', gzipSync(Buffer.alloc(4_000_001)), 'gzip'],
    ['content_encoding.unsupported', Buffer.from('x'), 'br'],
  ])('is refused as %s and leaves nothing', async (code, bytes, encoding) => {
    await expect(receive(bytes, encoding)).rejects.toMatchObject({ code } satisfies Partial<Refusal>);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a batch whose worker dies', () => {
  class Killed extends Error {}

  /** Dies in the k-th transaction: before its commit, or right after it. */
  function mortal(k: number, when: 'before' | 'after'): LineExchange {
    const real = new PgLineExchange(fresh.database);
    let left = k;
    const dying = async <T, B extends unknown[]>(
      run: (work: (...books: B) => Promise<T>) => Promise<T>,
      work: (...books: B) => Promise<T>,
    ) => {
      const last = --left === 0;
      const result = await run(async (...books) => {
        const done = await work(...books);
        if (last && when === 'before') throw new Killed();
        return done;
      });
      if (last) throw new Killed();
      return result;
    };
    return { many: (work) => dying((inner) => real.many(inner), work), one: (work) => dying((inner) => real.one(inner), work) };
  }

  it.each([1, 2, 3, 4].flatMap((k) => (['before', 'after'] as const).map((when) => [k, when] as const)))(
    'in transaction %i, %s the commit, ends with each line exactly once',
    async (k, when) => {
      const lines = [
        ...Array.from({ length: 300 }, () => lineOf(rated())),
        lineOf(world.record('bank-a', ref, ++n, { kind: 'violation', violation: violation('MINOR', world.clock.now()) })),
        ...Array.from({ length: 10 }, () => lineOf(rated())),
      ];
      const { batch } = await receive(textOf(lines));
      await expect(runner(mortal(k, when)).run(batch.id)).rejects.toThrow(Killed);
      await endLease(batch.id);
      expect(await runner().run(batch.id)).toBe('done');
      expect(await store.find(batch.id)).toMatchObject({ accepted: 311, repeated: 0, refused: 0 });
      expect(await outcomesOf(batch)).toEqual(lines.map((_, i) => `${i + 1} ACCEPTED`));
      await expectNoGaps();
    },
  );

  it('and comes back to life keeps nothing of what it still wanted', async () => {
    const { batch } = await receive(textOf(Array.from({ length: 20 }, () => lineOf(rated()))));
    const late = (await store.lease(batch.id))!;
    await endLease(batch.id);
    expect(await runner().run(batch.id)).toBe('done');
    const step = { lease: late.lease, outcomes: [{ line: 1, outcome: 'REPEATED' as const }], nextLine: 2, nextByte: 9 };
    await expect(new PgLineExchange(fresh.database).many(({ progress }) => progress.advance(step))).rejects.toThrow('');
    expect(await store.find(batch.id)).toMatchObject({ accepted: 20, repeated: 0 });
  });

  async function endLease({ shard, uuid }: ShardedId): Promise<void> {
    await fresh.database.query(`UPDATE record_batches SET leased_until = '-infinity' WHERE shard = $1 AND batch = $2`, [shard, uuid]);
  }

  async function expectNoGaps(): Promise<void> {
    const [facts] = await fresh.database.query<{ gaps: bigint }>(
      `SELECT count(*) AS gaps FROM shard_heads h WHERE last_seq <> (SELECT count(*) FROM facts f WHERE f.shard = h.shard)`,
    );
    expect(facts?.gaps).toBe(0n);
  }
});

describe('batches at the same time', () => {
  it('two workers on one batch have one effect', async () => {
    const { batch } = await receive(textOf(Array.from({ length: 450 }, () => lineOf(rated()))));
    const ends = await Promise.all([runner().run(batch.id), runner().run(batch.id)]);
    expect(ends.sort()).toEqual(['done', 'held']);
    expect(await store.find(batch.id)).toMatchObject({ state: 'DONE', accepted: 450, repeated: 0 });
  });

  it('records of a batch that are also sent alone are accepted once, with one receipt', async () => {
    const records = Array.from({ length: 60 }, () => rated());
    const { batch } = await receive(textOf(records.map(lineOf)));
    const [, ...alone] = await Promise.all([runner().run(batch.id), ...[...records].reverse().map((record) => world.send(record))]);
    const { accepted, repeated, refused } = (await store.find(batch.id))!;
    expect(accepted + repeated).toBe(60);
    expect([refused, alone.filter((one) => !one.repeated).length]).toEqual([0, 60 - accepted]);
    const receipts = await new PgRecordBook(fresh.database).receiptsOf(
      'bank-a',
      records.map(({ jti }) => jti),
    );
    expect(alone.map(({ receipt }) => receipt).sort()).toEqual([...receipts.values()].sort());
  });

  it('are worked off by whoever finds them outstanding', async () => {
    const { batch } = await receive(textOf([lineOf(rated())]));
    expect((await store.outstanding(10)).map(({ id }) => formatId('bat', id))).toEqual([formatId('bat', batch.id)]);
    await runner().run(batch.id);
    expect(await store.outstanding(10)).toEqual([]);
  });
});

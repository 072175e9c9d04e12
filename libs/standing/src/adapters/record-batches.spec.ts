import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CreditRecord } from '#contract';
import { encodeBase64Url } from '#evidence';
import { formatId, type Refusal } from '#kernel';
import type { RecordBatch } from '#records';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { bankKey, performance, violation } from '#records/testing/records';
import type { LineExchange } from '../batch/line-books.js';
import { BatchWorld, lineOf, textOf } from '../testing/batch-world.js';
import { PgLineExchange } from './pg-line-exchange.js';

let world: BatchWorld;

beforeAll(async () => {
  world = await BatchWorld.open();
});
afterAll(() => world.close());
beforeEach(() => world.newSubject());

const violated = () => world.record({ kind: 'violation', violation: violation('MINOR', world.exchange.clock.now()) });

async function sent(lines: readonly (Buffer | string)[]): Promise<{ batch: RecordBatch; outcomes: string[] }> {
  const { batch } = await world.receive(textOf(lines));
  expect(await world.runner().run(batch.id)).toBe('done');
  return { batch: (await world.store.find(batch.id))!, outcomes: await world.outcomesOf(batch) };
}

describe('a batch of records', () => {
  it('gives every line the outcome it would have had alone, and stops at none', async () => {
    const first = world.rated();
    const stranger = await world.exchange.link(await world.exchange.subject(), 'bank-b');
    const reported = violated();
    const lines = [
      lineOf(first),
      '',
      lineOf(first),
      lineOf(world.record({ kind: 'performance', performance: performance('11') })),
      'not a JWS',
      lineOf({ ...world.rated(), seq: first.seq } as CreditRecord),
      lineOf({ ...first, asOf: new Date(Date.parse(first.asOf) - 1_000).toISOString() } as CreditRecord),
      lineOf(world.rated(stranger)),
      `${lineOf(world.rated()).toString()}\r`,
      lineOf(reported),
      lineOf(world.record({ kind: 'clearance', clearance: { clears: reported.jti } })),
      lineOf(world.record({ kind: 'withdrawal', withdrawal: { replaces: first.jti } })),
      'x'.repeat(70_000),
      `"${lineOf(world.rated()).toString()}"`,
      // Its refusal names a name that no text of PostgreSQL can hold (2026-11-22).
      `${encodeBase64Url(Buffer.from(JSON.stringify({ alg: bankKey.alg, kid: bankKey.kid, '\u0000': 1 })))}.e30.AAAA`,
    ];
    const { batch, outcomes } = await sent(lines);
    expect(outcomes).toEqual([
      ...['1 ACCEPTED', '3 REPEATED', '4 ACCEPTED', '5 signature.malformed', '6 record.seq_reused', '7 record.equivocation'],
      ...['8 link.unknown', '9 ACCEPTED', '10 ACCEPTED', '11 ACCEPTED', '12 ACCEPTED', '13 body.too_large', '14 ACCEPTED'],
      '15 signature.header_refused',
    ]);
    expect(batch).toMatchObject({ state: 'DONE', linesTotal: 14, accepted: 7, repeated: 1, refused: 6 });
    expect(world.filesLeft).toEqual([]);
  });

  it('marks its subjects, which the next review judges', async () => {
    const before = await world.exchange.standing(world.subject);
    await sent([lineOf(world.rated()), lineOf(world.rated())]);
    expect((await world.exchange.standing(world.subject))?.version).toBe(before?.version);
    await world.exchange.review.run();
    expect((await world.exchange.standing(world.subject))!.score.value).toBeGreaterThan(before!.score.value);
  });

  it('gives each record the receipt that a repetition of it gets', async () => {
    const record = world.rated();
    await sent([lineOf(record)]);
    const { receipt, repeated } = await world.exchange.send(record);
    expect(repeated).toBe(true);
    expect((await world.book.receiptsOf('bank-a', [record.jti])).get(record.jti)).toBe(receipt);
  });

  it('gives a receipt when it is first asked for, and always the first, whoever asks and whatever key signs by then', async () => {
    const records = Array.from({ length: 40 }, () => world.rated());
    const jtis = records.map(({ jti }) => jti);
    await sent(records.map(lineOf));
    const [one, same] = await Promise.all([world.book.receiptsOf('bank-a', jtis), world.book.receiptsOf('bank-a', [...jtis].reverse())]);
    const later = new PgRecordBook(world.fresh.database, () => Promise.resolve('signed by the next key'));
    expect([...one.keys()].sort()).toEqual([...jtis].sort());
    for (const receipts of [same, await later.receiptsOf('bank-a', jtis)]) expect(new Map(receipts)).toEqual(new Map(one));
    const payload = JSON.parse(Buffer.from(one.get(jtis[7]!)!.split('.')[1]!, 'base64url').toString()) as Record<string, string>;
    const [fact] = await world.fresh.database.query<{ body: string }>(
      'SELECT f.body FROM facts f JOIN records r ON r.shard = f.shard AND r.fact_seq = f.seq WHERE r.jti = $1',
      [jtis[7]],
    );
    const salted = Buffer.concat([Buffer.from(payload['commitment_salt']!, 'base64url'), Buffer.from(JSON.stringify(records[7]))]);
    expect(payload['sub']).toBe(jtis[7]);
    expect((JSON.parse(fact!.body) as Record<string, string>)['commitment']).toBe(createHash('sha256').update(salted).digest('base64url'));
  });

  it('tells the outcomes from any line on, however they are kept', async () => {
    const bad = (i: number) => i % 50 === 49;
    const blank = (i: number) => i % 61 === 60;
    const lines = Array.from({ length: 480 }, (_, i) => (blank(i) ? '' : bad(i) ? 'no JWS' : lineOf(world.rated())));
    const { batch, outcomes } = await sent([...lines.slice(0, 300), lineOf(violated()), ...lines.slice(300)]);
    const wanted = [...lines.slice(0, 300), 'violation', ...lines.slice(300)].flatMap((line, i) =>
      line === '' ? [] : [`${i + 1} ${line === 'no JWS' ? 'signature.malformed' : 'ACCEPTED'}`],
    );
    expect(outcomes).toEqual(wanted);
    for (const after of [0, 1, 49, 60, 255, 256, 299, 300, 301, 480, 481]) {
      const page = await world.store.outcomes(batch.id, after, 20, false);
      const from = wanted.filter((text) => Number(text.split(' ')[0]) > after).slice(0, 20);
      expect(page.map(({ line, outcome, code }) => `${line} ${code ?? outcome}`)).toEqual(from);
    }
  });

  it('sent again is the same batch, also when it is zipped', async () => {
    const bytes = textOf([lineOf(world.rated())]);
    const first = await world.receive(bytes);
    const again = await world.receive(gzipSync(bytes), { encoding: 'gzip' });
    expect([first.repeated, again.repeated, again.batch.id]).toEqual([false, true, first.batch.id]);
    await world.runner().run(first.batch.id);
    expect((await world.receive(bytes)).batch.state).toBe('DONE');
    expect(world.filesLeft).toEqual([]);
  });

  it.each([
    ['batch.empty', textOf(['', '\r']), undefined],
    ['batch.coding_broken', gzipSync(textOf([Buffer.alloc(3_000, 'x')])).subarray(0, 20), 'gzip'],
    ['batch.coding_broken', Buffer.from('plain'), 'gzip'],
    ['batch.too_large', textOf(Array.from({ length: 2_001 }, () => 'x')), undefined],
    ['batch.too_large', gzipSync(Buffer.alloc(4_000_001)), 'gzip'],
    ['batch.coding_broken', Buffer.from('plain'), 'zstd'],
    ['content_encoding.unsupported', Buffer.from('x'), 'br'],
  ])('is refused as %s and leaves nothing', async (code, bytes, encoding) => {
    await expect(world.receive(bytes, { encoding })).rejects.toMatchObject({ code } satisfies Partial<Refusal>);
    expect(world.filesLeft).toEqual([]);
  });
});

describe('a batch whose worker dies', () => {
  class Killed extends Error {}

  /** Dies in the k-th transaction: before its commit, or right after it. */
  function mortal(k: number, when: 'before' | 'after'): LineExchange {
    const real = new PgLineExchange(world.fresh.database);
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
        ...Array.from({ length: 300 }, () => lineOf(world.rated())),
        lineOf(violated()),
        ...Array.from({ length: 10 }, () => lineOf(world.rated())),
      ];
      const { batch } = await world.receive(textOf(lines));
      await expect(world.runner(mortal(k, when)).run(batch.id)).rejects.toThrow(Killed);
      await world.endLease(batch.id);
      expect(await world.runner().run(batch.id)).toBe('done');
      expect(await world.store.find(batch.id)).toMatchObject({ accepted: 311, repeated: 0, refused: 0 });
      expect(await world.outcomesOf(batch)).toEqual(lines.map((_, i) => `${i + 1} ACCEPTED`));
      expect(await world.gaps()).toBe(0n);
    },
  );

  it('and comes back to life keeps nothing of what it still wanted', async () => {
    const { batch } = await world.receive(textOf(Array.from({ length: 20 }, () => lineOf(world.rated()))));
    const late = (await world.store.lease(batch.id))!;
    await world.endLease(batch.id);
    expect(await world.runner().run(batch.id)).toBe('done');
    const step = { lease: late.lease, outcomes: [{ line: 1, outcome: 'REPEATED' as const }], nextLine: 2, nextByte: 9 };
    await expect(new PgLineExchange(world.fresh.database).many(({ progress }) => progress.advance(step))).rejects.toThrow('');
    expect(await world.store.find(batch.id)).toMatchObject({ accepted: 20, repeated: 0 });
  });
});

describe('batches at the same time', () => {
  it('two workers on one batch have one effect', async () => {
    const { batch } = await world.receive(textOf(Array.from({ length: 450 }, () => lineOf(world.rated()))));
    const ends = await Promise.all([world.runner().run(batch.id), world.runner().run(batch.id)]);
    expect(ends.sort()).toEqual(['done', 'held']);
    expect(await world.store.find(batch.id)).toMatchObject({ state: 'DONE', accepted: 450, repeated: 0 });
  });

  it('records of a batch that are also sent alone are accepted once, with one receipt', async () => {
    const records = Array.from({ length: 60 }, () => world.rated());
    const { batch } = await world.receive(textOf(records.map(lineOf)));
    const [, ...alone] = await Promise.all([
      world.runner().run(batch.id),
      ...[...records].reverse().map((record) => world.exchange.send(record)),
    ]);
    const { accepted, repeated, refused } = (await world.store.find(batch.id))!;
    expect(accepted + repeated).toBe(60);
    expect([refused, alone.filter((one) => !one.repeated).length]).toEqual([0, 60 - accepted]);
    const receipts = await world.book.receiptsOf(
      'bank-a',
      records.map(({ jti }) => jti),
    );
    expect(alone.map(({ receipt }) => receipt).sort()).toEqual([...receipts.values()].sort());
  });

  it('are worked off by whoever finds them outstanding', async () => {
    const { batch } = await world.receive(textOf([lineOf(world.rated())]));
    expect((await world.store.outstanding(10)).map(({ id }) => formatId('bat', id))).toEqual([formatId('bat', batch.id)]);
    await world.runner().run(batch.id);
    expect(await world.store.outstanding(10)).toEqual([]);
  });
});

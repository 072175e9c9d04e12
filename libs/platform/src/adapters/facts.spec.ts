import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fact, FactPosition } from '#kernel';
import { appendFacts } from '../facts.js';
import { freshDatabase, type FreshDatabase } from '../testing/database.js';

const fact = (n: number, shard: Fact['shard'] = 0): Fact => ({ shard, kind: 'test.happened', body: { n } });

describe('facts on PostgreSQL', () => {
  let fresh: FreshDatabase;
  const append = (...facts: [Fact, ...Fact[]]): Promise<FactPosition[]> => fresh.database.transaction((tx) => appendFacts(tx, facts));
  const numbersOf = async (shard: number) =>
    (await fresh.database.query<{ seq: bigint }>('SELECT seq FROM facts WHERE shard = $1 ORDER BY seq', [shard])).map(({ seq }) => seq);

  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.close());

  it('numbers them without gaps when many write at once', async () => {
    const positions = await Promise.all(Array.from({ length: 200 }, (_, n) => append(fact(n, 0), fact(n, 0))));
    const expected = Array.from({ length: 400 }, (_, i) => BigInt(i + 1));
    expect(await numbersOf(0)).toEqual(expected);
    expect(
      positions
        .flat()
        .map(({ seq }) => seq)
        .sort((a, b) => Number(a - b)),
    ).toEqual(expected);
  });

  it('never lets time run backwards within a shard', async () => {
    const rows = await fresh.database.query<{ at: Date }>('SELECT at FROM facts WHERE shard = 0 ORDER BY seq');
    const times = rows.map(({ at }) => at.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('gives each shard its own numbers, in one transaction and in the order asked', async () => {
    const positions = await append(fact(1, 2), fact(2, 1), fact(3, 2));
    expect(positions.map(({ shard, seq }) => [shard, seq])).toEqual([
      [2, 1n],
      [1, 1n],
      [2, 2n],
    ]);
  });

  it('does not deadlock when transactions name the same shards in opposite orders', async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 ? append(fact(n, 3), fact(n, 4)) : append(fact(n, 4), fact(n, 3)))));
    expect(await numbersOf(3)).toHaveLength(100);
  });

  it('leaves no gap behind a transaction that rolled back', async () => {
    await append(fact(1, 5));
    const failed = fresh.database.transaction(async (tx) => {
      await appendFacts(tx, [fact(2, 5)]);
      throw new Error('changed our mind');
    });
    await expect(failed).rejects.toThrow('changed our mind');
    await append(fact(3, 5));
    expect(await numbersOf(5)).toEqual([1n, 2n]);
  });

  it.each(['UPDATE facts SET body = body', 'DELETE FROM facts', 'TRUNCATE facts', 'ALTER TABLE facts DISABLE TRIGGER ALL'])(
    'does not let the applications run: %s',
    async (sql) => {
      await expect(fresh.database.query(sql)).rejects.toThrow(/permission denied|must be owner/);
    },
  );
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { againAfterDeadlock } from './after-deadlock.js';

let fresh: FreshDatabase;

beforeAll(async () => {
  fresh = await freshDatabase();
});
afterAll(() => fresh.close());

const lock = 'SELECT FROM shard_heads WHERE shard = $1 FOR UPDATE';

it('two transactions that wait for each other both come to their end', async () => {
  let runs = 0;
  const crossing = (first: number, second: number) =>
    againAfterDeadlock(() =>
      fresh.database.transaction(async (tx) => {
        runs++;
        await tx.query(lock, [first]);
        await tx.query('SELECT pg_sleep(0.3)');
        await tx.query(lock, [second]);
        return first;
      }),
    );
  expect(await Promise.all([crossing(0, 1), crossing(1, 0)])).toEqual([0, 1]);
  expect(runs).toBeGreaterThan(2);
});

it('anything else is not tried again', async () => {
  let runs = 0;
  const failing = againAfterDeadlock(() => {
    runs++;
    return Promise.reject(new Error('no'));
  });
  await expect(failing).rejects.toThrow('no');
  expect(runs).toBe(1);
});

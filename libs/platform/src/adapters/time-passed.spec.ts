import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseIsOver } from '../lease.js';
import { forgetCounts } from '../rate-limits.js';
import { type FreshDatabase, freshDatabase } from '../testing/database.js';

let fresh: FreshDatabase;
beforeAll(async () => void (fresh = await freshDatabase()));
afterAll(() => fresh?.close());

describe('a lease', () => {
  it.each([
    ['that ran out is over', '-1 second', true],
    ['that runs is held', '30 seconds', false],
    ['that a worker took, before the clock was set back by an hour, is over', '1 hour', true],
  ])('%s', async (_what, ends, isOver) => {
    const sql = `SELECT ${leaseIsOver('clock_timestamp() + $1::interval')} AS over`;
    expect(await fresh.database.query(sql, [ends])).toEqual([{ over: isOver }]);
  });
});

it('counts of calls are forgotten when their time is over, and not before', async () => {
  const nowMs = Date.now();
  await fresh.database.query('INSERT INTO rate_limits (key, points, expire) VALUES ($1, 1, $2), ($3, 1, $4), ($5, 1, NULL)', [
    ...['enrol:192.0.2.1', nowMs - 3_600_000, 'calls:bank-a', nowMs + 1_000, 'for-ever'],
  ]);
  expect(await forgetCounts(fresh.database)).toBe(1);
  expect(await fresh.database.query('SELECT key FROM rate_limits ORDER BY key')).toEqual([{ key: 'calls:bank-a' }, { key: 'for-ever' }]);
});

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LostReply } from '#kernel';
import { Database } from '../database.js';
import { StatementTimedOut } from '../slow-database.js';
import { type FreshDatabase, freshDatabase } from '../testing/database.js';

const STATEMENT_MS_MAX = 400;
const CONNECTIONS_MAX = 2;
const KEY = 'calls:bank-a';
const COUNT = 'INSERT INTO rate_limits (key, points, expire) VALUES ($1, 1, NULL)';

let fresh: FreshDatabase;
let database: Database;
let owner: pg.Client;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = await Database.open(fresh.url, CONNECTIONS_MAX, undefined, STATEMENT_MS_MAX);
  owner = new pg.Client({ connectionString: fresh.url });
  await owner.connect();
});
afterAll(async () => {
  await owner?.end();
  await database?.close();
  await fresh?.close();
});

/** While somebody else holds the table. */
async function whileHeld<T>(work: () => Promise<T>): Promise<T> {
  await owner.query('BEGIN; LOCK TABLE rate_limits IN ACCESS EXCLUSIVE MODE');
  try {
    return await work();
  } finally {
    await owner.query('ROLLBACK');
  }
}

const failureOf = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);
const counted = () => database.query('SELECT key FROM rate_limits');
const pids = () =>
  Promise.all(
    Array.from({ length: CONNECTIONS_MAX }, async () => (await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]!.pid),
  );

describe('a statement that takes too long', () => {
  it('is known to the connection from its beginning; who states no time has none', async () => {
    expect(await database.query('SHOW statement_timeout')).toEqual([{ statement_timeout: `${STATEMENT_MS_MAX}ms` }]);
    expect(await fresh.database.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '0' }]);
  });

  it('is ended, alone or in a transaction, and nothing of it is kept', async () => {
    // Begun when the table is held: before, a quick one was done by then (2026-11-23).
    const step = () =>
      database.transaction(async (tx) => {
        await tx.query(`SELECT set_config('tallystick.seen', 'yes', true)`);
        await tx.query(COUNT, [KEY]);
      });
    const failures = await whileHeld(() => Promise.all([failureOf(database.query(COUNT, [KEY])), failureOf(step())]));
    expect(failures.map((failure) => failure instanceof StatementTimedOut)).toEqual([true, true]);
    expect(await counted()).toEqual([]);
  });

  it('inside a transaction leaves its connection as good as before', async () => {
    const before = await pids();
    const count = () => database.transaction((tx) => tx.query(COUNT, [KEY]));
    const failures = await whileHeld(() => Promise.all([failureOf(count()), failureOf(count())]));
    expect(failures.every((failure) => failure instanceof StatementTimedOut)).toBe(true);
    expect((await pids()).sort()).toEqual(before.sort());
    await count();
    expect(await database.query('DELETE FROM rate_limits RETURNING key')).toEqual([{ key: KEY }]);
  });

  it('keeps others waiting for a connection no longer than that', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const holders = Array.from({ length: CONNECTIONS_MAX }, () => database.transaction(() => held));
    const waiting = await Promise.all([failureOf(database.query('SELECT 1')), failureOf(database.transaction(() => held))]);
    expect(waiting.map((failure) => failure instanceof StatementTimedOut)).toEqual([true, true]);
    letGo();
    await Promise.all(holders);
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('a commit that stalls', () => {
  beforeAll(async () => {
    // Runs with the commit, where no time of statements counts, like the flush to a disk or the wait for a replica.
    await owner.query(`
      CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${(10 * STATEMENT_MS_MAX) / 1_000}); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER stalls AFTER INSERT ON rate_limits DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stall();`);
  });

  it.each([
    ['alone', () => database.query(COUNT, [KEY])],
    ['of a transaction', () => database.transaction((tx) => tx.query(COUNT, [KEY]))],
  ])('%s is a lost reply, is never ended, and gives its connection back when it is done', async (_what, count) => {
    const failure = await failureOf(count());
    expect((await owner.query('SELECT key FROM rate_limits')).rows, 'it is not done yet').toEqual([]);
    expect([failure instanceof LostReply, failure instanceof StatementTimedOut]).toEqual([true, false]);
    await expect.poll(() => database.pool.idleCount, { timeout: 20_000 }).toBe(database.pool.totalCount);
    expect(await database.query('DELETE FROM rate_limits RETURNING key')).toEqual([{ key: KEY }]);
  });
});

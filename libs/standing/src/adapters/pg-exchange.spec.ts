import { afterAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { exchangeContract } from '../testing/exchange-contract.js';
import { PgEventQueue } from './pg-event-queue.js';
import { PgExchange } from './pg-exchange.js';
import { PgStandingReader } from './pg-standing-reader.js';

describe('the exchange in PostgreSQL', () => {
  let fresh: FreshDatabase;
  afterAll(() => fresh.close());

  exchangeContract(async () => {
    fresh = await freshDatabase();
    const { database } = fresh;
    return {
      exchange: new PgExchange(database),
      queue: new PgEventQueue(database),
      reader: new PgStandingReader(database),
      factKinds: async () => (await database.query<{ kind: string }>('SELECT kind FROM facts ORDER BY shard, seq')).map(({ kind }) => kind),
    };
  });

  it('keeps every version of a standing, and facts without gaps', async () => {
    const [versions] = await fresh.database.query<{ gaps: bigint }>(
      `SELECT count(*) AS gaps FROM standings s
        WHERE version <> (SELECT count(*) FROM standing_versions v WHERE v.shard = s.shard AND v.subject = s.subject)`,
    );
    const [facts] = await fresh.database.query<{ gaps: bigint }>(
      `SELECT count(*) AS gaps FROM shard_heads h WHERE last_seq <> (SELECT count(*) FROM facts f WHERE f.shard = h.shard)`,
    );
    expect([versions?.gaps, facts?.gaps]).toEqual([0n, 0n]);
  });

  it('reads standings of many shards at once, in the order asked', async () => {
    const rows = await fresh.database.query<{ shard: 0; subject: string }>('SELECT shard, subject FROM standings ORDER BY subject');
    const subjects = rows.map(({ shard, subject }) => ({ shard, uuid: subject }));
    const unknown = { shard: 0 as const, uuid: '01939a6e-7a00-7abc-8def-ffffffffffff' };
    const read = await new PgStandingReader(fresh.database).load([...subjects, unknown]);
    expect(read.map((standing) => standing?.subject)).toEqual([...subjects, undefined]);
  });
});

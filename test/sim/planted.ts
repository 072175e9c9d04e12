import pg from 'pg';
import type { SqlRunner } from '#platform';

/** Runs SQL as the owner of a scratch database: what no application may do. */
export async function asOwner(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Runs SQL as the owner and takes all of it back afterwards. Whole numbers are bigint, as the applications read them. */
export async function asOwnerForNothing<T>(url: string, work: (sql: SqlRunner) => Promise<T>): Promise<T> {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, BigInt);
  const client = new pg.Client({ connectionString: url, types });
  await client.connect();
  try {
    await client.query('BEGIN');
    return await work({
      query: async (sql: string, params?: readonly unknown[]) => (await client.query(sql, params as unknown[])).rows,
    } as SqlRunner);
  } finally {
    await client.query('ROLLBACK');
    await client.end();
  }
}

const LOCKS_FIRST = /FOR NO KEY UPDATE\) h;/;
const BEFORE_NUMBERS = /(?=FOR i IN 1 \.\. cardinality\(v_heads\) LOOP\s+v_next\[)/;
const LOCKS_LATE = `PERFORM pg_sleep(0.003);
  SELECT array_agg(h.shard), array_agg(h.last_seq) INTO v_heads, v_last
    FROM (SELECT shard, last_seq FROM shard_heads WHERE shard = ANY (p_shards) ORDER BY shard FOR NO KEY UPDATE) h;
  `;

/**
 * Replaces the ledger's function by one that reads, checks and then writes: the head rows are taken only for the numbers, after the counters
 * were judged. Everything else stays as it is, so that only the race is wrong.
 */
export async function plantReadCheckWrite(url: string): Promise<void> {
  await asOwner(url, async (client) => {
    const { rows } = await client.query<{ source: string }>(`SELECT pg_get_functiondef('reserve_batch'::regproc) AS source`);
    const { source } = rows[0]!;
    if (!LOCKS_FIRST.test(source) || !BEFORE_NUMBERS.test(source)) throw new Error('reserve_batch has changed: plant the race anew');
    await client.query(source.replace(LOCKS_FIRST, ') h;').replace(BEFORE_NUMBERS, LOCKS_LATE));
  });
}

const ASKS = /FROM unnest\(p_asks\) WITH ORDINALITY AS a/;
const ASKS_LATE = 'FROM (SELECT q.* FROM unnest(p_asks) WITH ORDINALITY AS q, pg_sleep(0.005)) AS a';
const NUMBERS = /h\.last_seq \+ row_number\(\) OVER \(PARTITION BY j\.shard ORDER BY j\.n\)/;

/**
 * Replaces the settling function by one that does not wait for the head rows: what it reads may have changed when it writes. Its numbers are
 * drawn by lot, since two that count alike would already stop each other.
 */
export async function plantUnheldSettlement(url: string): Promise<void> {
  await asOwner(url, async (client) => {
    const { rows } = await client.query<{ source: string }>(`SELECT pg_get_functiondef('settle_batch'::regproc) AS source`);
    const { source } = rows[0]!;
    if (![LOCKS_FIRST, ASKS, NUMBERS].every((place) => place.test(source)))
      throw new Error('settle_batch has changed: plant the race anew');
    const planted = source.replace(LOCKS_FIRST, ') h;').replace(ASKS, ASKS_LATE).replace(NUMBERS, '(1e9 + random() * 1e15)::bigint');
    await client.query(planted);
  });
}

import pg from 'pg';
import type { Database, Tx } from '#platform';

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

const LOCKS_FIRST = /FOR NO KEY UPDATE\) h;/;
const BEFORE_NUMBERS = /(?=-- Numbers, in the items' order)/;
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

/** The same database, whose transactions read head rows without taking them. */
export function withoutHeadLocks(database: Database): Database {
  const unlocked = (tx: Tx) =>
    ({ query: (sql: string, params?: readonly unknown[]) => tx.query(sql.replace('FOR NO KEY UPDATE', ''), params) }) as Tx;
  return { transaction: (work: (tx: Tx) => Promise<unknown>) => database.transaction((tx) => work(unlocked(tx))) } as unknown as Database;
}

type Plant = readonly [what: string, sql: string, breach: RegExp];

/** One row changed behind the ledger's back, and the words in which the checks must say so. */
export const PLANTS: readonly Plant[] = [
  [
    'a counter that forgot a cent',
    `UPDATE usage SET used_minor = used_minor + 1 WHERE ctid = (SELECT min(ctid) FROM usage)`,
    /^usage of .* is used/,
  ],
  ['a lost number', `UPDATE shard_heads SET last_seq = last_seq + 1 WHERE last_seq > 0`, /have a gap/],
  [
    'a lost reservation',
    `DELETE FROM reservations WHERE reservation = (SELECT min(reservation::text)::uuid FROM reservations WHERE state = 'RESERVED')`,
    /^reservation .* is gone$/,
  ],
  [
    'a lost decision',
    `DELETE FROM decisions WHERE decision = (SELECT min(decision::text)::uuid FROM decisions WHERE outcome = 'ALLOW')`,
    /^decision .* was acknowledged and is gone$/,
  ],
  [
    'a release after its confirm',
    `WITH taken AS (SELECT * FROM settlements WHERE kind = 'confirm' ORDER BY reservation LIMIT 1)
     UPDATE reservations r SET state = 'RELEASED' FROM taken t WHERE r.reservation = t.reservation`,
    /is RELEASED .*not CONFIRMED/,
  ],
  [
    'a confirm of what ran out',
    `UPDATE settlements SET at = at + interval '1 day' WHERE (reservation, kind) = (SELECT reservation, kind FROM settlements WHERE kind = 'confirm' LIMIT 1)`,
    /ran out and took a confirm/,
  ],
  [
    'a decline with room',
    `UPDATE decisions SET outcome = 'DENY' WHERE decision = (SELECT min(decision::text)::uuid FROM decisions WHERE outcome = 'ALLOW')`,
    /declined while there was room/,
  ],
  [
    'an allowance without room',
    `UPDATE decisions SET outcome = 'ALLOW', expires_at = at + interval '1 hour'
      WHERE decision = (SELECT min(decision::text)::uuid FROM decisions WHERE outcome = 'DENY')`,
    /^overspend: /,
  ],
  ['a window chosen by another clock', `UPDATE decisions SET at = at + interval '1 day'`, /counts in the day that starts/],
];

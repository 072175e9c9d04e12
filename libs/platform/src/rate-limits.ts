import type { SqlRunner } from './database.js';

/** Counts of calls are kept a minute longer than they count: the clocks of processes differ. */
const keptMs = 60_000;

/** Forgets counts whose time is over, where they stand in PostgreSQL: there is one for each address that ever called. Answers how many. */
export async function forgetCounts(sql: SqlRunner): Promise<number> {
  const gone = await sql.query(
    'DELETE FROM rate_limits WHERE expire < extract(epoch FROM clock_timestamp()) * 1000 - $1 RETURNING 1 AS gone',
    [keptMs],
  );
  return gone.length;
}

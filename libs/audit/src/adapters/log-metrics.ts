import { Gauge } from 'prom-client';
import type { SqlRunner } from '#platform';

let watched: SqlRunner | undefined;

/** The table tells the same at every worker. Where the database does not answer nothing is told; the other metrics still are. */
async function ask<Row extends object>(sql: string): Promise<Row[]> {
  return (await watched?.query<Row>(sql).catch(() => [])) ?? [];
}

new Gauge({
  name: 'tallystick_log_alarms',
  help: 'alarms of the log that stand, by code: above zero the log does not grow, or not everywhere',
  labelNames: ['code'],
  async collect() {
    this.reset();
    const alarms = await ask<{ code: string; n: bigint }>(
      'SELECT code, count(*) AS n FROM log_alarms WHERE cleared_at IS NULL GROUP BY code',
    );
    for (const { code, n } of alarms) this.set({ code }, Number(n));
  },
});

new Gauge({
  name: 'tallystick_log_oldest_seconds',
  help: 'how long the oldest fact waits that is not in the log yet; 0 where all are',
  async collect() {
    const [found] = await ask<{ seconds: number }>(
      `SELECT coalesce(max(extract(epoch FROM clock_timestamp() - next.at)), 0)::float8 AS seconds
         FROM log_cursors JOIN shard_heads h USING (shard)
        CROSS JOIN LATERAL (SELECT at FROM facts WHERE shard = h.shard AND seq = sealed_seq + 1
                             UNION ALL SELECT at FROM decisions WHERE shard = h.shard AND seq = sealed_seq + 1) next
        WHERE last_seq > sealed_seq`,
    );
    this.reset();
    if (found) this.set(Math.max(0, found.seconds));
  },
});

/** Shows at /metrics how sealing goes, read from the database when it is asked. */
export function watchLog(database: SqlRunner): void {
  watched = database;
}

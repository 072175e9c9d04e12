import type { SqlRunner } from '#platform';
import type { LogSummaries, LogSummary } from '../log-reader.js';

/** One look at the log's tables. */
export class PgLogSummaries implements LogSummaries {
  constructor(private readonly database: SqlRunner) {}

  async read(): Promise<LogSummary> {
    const [state, alarms] = await Promise.all([
      this.database.query<{ origin: string; size: bigint; published: bigint; note: string | null; waiting: bigint }>(
        `SELECT origin, size, published_size AS published,
                (SELECT note FROM log_checkpoints ORDER BY size DESC LIMIT 1) AS note,
                (SELECT coalesce(sum(last_seq - sealed_seq), 0)::bigint FROM log_cursors JOIN shard_heads USING (shard)) AS waiting
           FROM log_state WHERE id = 1`,
      ),
      this.database.query<LogSummary['alarms'][number]>(
        `SELECT code, place, detail, raised_at AS "raisedAt" FROM log_alarms WHERE cleared_at IS NULL ORDER BY raised_at`,
      ),
    ]);
    const { origin = '', size = 0n, published = 0n, note = null, waiting = 0n } = state[0] ?? {};
    return { origin, size, publishedSize: published, checkpoint: note ?? undefined, waiting, alarms };
  }
}

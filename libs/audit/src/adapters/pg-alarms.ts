import type { SqlRunner } from '#platform';
import type { Alarms, OpenAlarm } from '../store.js';

/** Alarms go to the process's log as errors, where operators alert on them, and to a table for the console. */
export class PgAlarms implements Alarms {
  constructor(
    private readonly database: SqlRunner,
    private readonly logger: { error(fields: object, message: string): void },
  ) {}

  async open(): Promise<OpenAlarm[]> {
    const rows = await this.database.query<{ code: string; place: string; entries_min: bigint | null }>(
      'SELECT code, place, entries_min FROM log_alarms WHERE cleared_at IS NULL',
    );
    return rows.map(({ code, place, entries_min: least }) => ({ code, place, entriesMin: least ?? undefined }));
  }

  async raise({ code, place, entriesMin }: OpenAlarm, detail: string): Promise<void> {
    this.logger.error({ alarm: code, place }, detail);
    await this.database.query(
      `INSERT INTO log_alarms (code, place, detail, entries_min) VALUES ($1, $2, $3, $4)
       ON CONFLICT (code, place) DO UPDATE SET detail = excluded.detail, cleared_at = NULL,
         entries_min = greatest(excluded.entries_min, CASE WHEN log_alarms.cleared_at IS NULL THEN log_alarms.entries_min END),
         raised_at = CASE WHEN log_alarms.cleared_at IS NULL THEN log_alarms.raised_at ELSE excluded.raised_at END`,
      [code, place, detail, entriesMin],
    );
  }

  async clear(code: string, place: string): Promise<void> {
    await this.database.query(
      'UPDATE log_alarms SET cleared_at = clock_timestamp() WHERE code = $1 AND place = $2 AND cleared_at IS NULL',
      [code, place],
    );
  }
}

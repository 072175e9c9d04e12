import type { SqlRunner } from '#platform';
import type { Alarms } from '../store.js';

/** Alarms go to the process's log as errors, where operators alert on them, and to a table for the console. */
export class PgAlarms implements Alarms {
  constructor(
    private readonly database: SqlRunner,
    private readonly logger: { error(fields: object, message: string): void },
  ) {}

  open(): Promise<{ code: string; place: string }[]> {
    return this.database.query('SELECT code, place FROM log_alarms WHERE cleared_at IS NULL');
  }

  async raise(code: string, place: string, detail: string): Promise<void> {
    this.logger.error({ alarm: code, place }, detail);
    await this.database.query(
      `INSERT INTO log_alarms (code, place, detail) VALUES ($1, $2, $3)
       ON CONFLICT (code, place) DO UPDATE SET detail = excluded.detail, cleared_at = NULL,
         raised_at = CASE WHEN log_alarms.cleared_at IS NULL THEN log_alarms.raised_at ELSE excluded.raised_at END`,
      [code, place, detail],
    );
  }

  async clear(code: string, place: string): Promise<void> {
    await this.database.query(
      'UPDATE log_alarms SET cleared_at = clock_timestamp() WHERE code = $1 AND place = $2 AND cleared_at IS NULL',
      [code, place],
    );
  }
}

import type { SqlRunner } from '#platform';

/**
 * When each recurring task last ran, in PostgreSQL. Whoever moves the beat runs the task: a queue job, its repetition, a second worker
 * and the pacemaker may all come at once, and one of them wins.
 */
export class Beats {
  constructor(private readonly sql: SqlRunner) {}

  /** True for exactly one caller, and only when the last beat is at least `ageMsMin` old, or of a time that the clock was set back before. */
  async take(task: string, ageMsMin: number): Promise<boolean> {
    const rows = await this.sql.query(
      `INSERT INTO worker_beats AS beat (task, ran_at) VALUES ($1, clock_timestamp())
       ON CONFLICT (task) DO UPDATE SET ran_at = clock_timestamp()
         WHERE beat.ran_at NOT BETWEEN clock_timestamp() - $2 * interval '1 ms' AND clock_timestamp()
       RETURNING task`,
      [task, ageMsMin],
    );
    return rows.length > 0;
  }
}

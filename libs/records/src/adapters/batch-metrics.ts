import { Gauge } from 'prom-client';
import type { SqlRunner } from '#platform';

let watched: SqlRunner | undefined;

new Gauge({
  name: 'tallystick_batches_missing_lines',
  help: 'record batches whose lines are not found, by state: PROCESSING is tried again, FAILED waits for its bank to send them again',
  labelNames: ['state'],
  async collect() {
    this.reset();
    // Along the index of what is not done. Where the database does not answer nothing is told; the other metrics still are.
    const rows = await watched
      ?.query<{ state: string; n: bigint }>(
        `SELECT state, count(*) AS n FROM record_batches WHERE state <> 'DONE' AND lines_missing_since IS NOT NULL GROUP BY state`,
      )
      .catch(() => []);
    for (const { state, n } of rows ?? []) this.set({ state }, Number(n));
  },
});

/** Shows at /metrics how many batches miss their lines, read from the database when it is asked. */
export function watchBatches(database: SqlRunner): void {
  watched = database;
}

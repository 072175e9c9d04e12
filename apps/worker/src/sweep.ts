import type { Logger } from 'pino';

/** Something that was left lying in PostgreSQL, found and set going again. */
export interface SweepStep {
  readonly name: string;
  /** How many it found. */
  run(): Promise<number>;
}

/** Runs every step; one that fails does not stop the others. */
export async function sweep(steps: readonly SweepStep[], logger: Logger): Promise<void> {
  for (const { name, run } of steps) {
    try {
      const found = await run();
      if (found > 0) logger.info({ step: name, found }, 'swept');
    } catch (error) {
      logger.error({ step: name, error: (error as Error).message }, 'a sweep step failed');
    }
  }
}

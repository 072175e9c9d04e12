import type { Logger } from 'pino';

/** Something that was left lying in PostgreSQL, found and set going again. */
export interface SweepStep {
  readonly name: string;
  /** How many it found. */
  run(): Promise<number>;
}

const HOUR_MS = 3_600_000;

/** For a step that looks through much and finds little: at once, and then once an hour. */
export function hourly(step: SweepStep): SweepStep {
  let dueMs = -Infinity;
  return {
    name: step.name,
    async run() {
      if (performance.now() < dueMs) return 0;
      dueMs = performance.now() + HOUR_MS;
      return await step.run();
    },
  };
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

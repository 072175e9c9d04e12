import type { Logger } from 'pino';

/** A goodbye takes a second or two; a supervisor waits longer than this before it kills. */
const goodbyeMsMax = 12_000;

/**
 * Ends the process some time after it was asked to, also where something it says goodbye to (a queue whose Redis is gone) never answers.
 * Nothing is lost by it: what was acknowledged stands in PostgreSQL.
 */
export function endInTime(logger: Logger): void {
  const ask = () => {
    setTimeout(() => {
      logger.error({ afterMs: goodbyeMsMax }, 'the end took too long: ending without a goodbye');
      process.exit(1);
    }, goodbyeMsMax).unref();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, ask);
}

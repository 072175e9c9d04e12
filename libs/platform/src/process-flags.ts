/**
 * How Node runs our doors. Decisions live for one request: with Node's default young generation (16 MiB) a fifth of decision-api's
 * time went into collecting it (measured 2026-11-22 by `npm run bench decisions` under a profiler; a few per cent remain). It counts
 * three times in memory: twice as large would cost nearly 100 MiB more.
 * In production give the same flag to whatever starts the processes.
 */
export const DOOR_FLAGS = ['--max-semi-space-size=32'] as const;

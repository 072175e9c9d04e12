import { availableParallelism } from 'node:os';

const CORES_FOR_GC_THREADS = 4;

/**
 * How Node runs our doors. In production give the same flags to whatever starts the processes.
 *
 * Decisions live for one request: with a young generation of 32 MiB a fifth of decision-api's time goes into collecting it, with 64 MiB a
 * tenth, and with 128 MiB less memory is left for everything else and nothing is gained (measured 2026-11-22 by `npm run bench decisions`:
 * 8,500, 10,100 and 7,000 decisions/s over HTTP, two cores).
 *
 * Where a few cores carry doors and PostgreSQL together, threads that help to collect take from the others more than they give: without
 * them decision-api spent a seventh less and held 30 MiB less, at the same p99 (2026-11-22, nine interleaved rounds on two cores).
 */
export const DOOR_FLAGS: readonly string[] = [
  '--max-semi-space-size=64',
  ...(availableParallelism() < CORES_FOR_GC_THREADS ? ['--single-threaded-gc'] : []),
];

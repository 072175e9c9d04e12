/**
 * How Node runs our doors. Decisions live for one request: with a young generation of 32 MiB a fifth of decision-api's time goes into
 * collecting it, with 64 MiB a tenth, and with 128 MiB less memory is left for everything else and nothing is gained (measured
 * 2026-11-22 by `npm run bench decisions`: 8,500, 10,100 and 7,000 decisions/s over HTTP, two cores). In production give the same flag to
 * whatever starts the processes.
 */
export const DOOR_FLAGS = ['--max-semi-space-size=64'] as const;

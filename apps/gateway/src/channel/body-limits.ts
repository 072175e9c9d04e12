import { batchBytesMax } from '#records';
import { statementBytesMax } from '#reconciliation/adapters/spool-statement';
import type { BodyLimit } from './spool-body.js';

/** One request body, where no row below says otherwise. JSON of this size can take 80 ms of the loop that everybody waits for (2026-11-22). */
export const bodyBytesMax = 1024 * 1024;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Calls that take more. A body waits on disk until its digest is found right, whatever its size. */
const LIMITS: Readonly<Record<string, BodyLimit>> = {
  '/v1/record-batches': { bytesMax: batchBytesMax, code: 'batch.too_large', msMax: 6 * HOUR_MS },
  '/v1/statements': { bytesMax: statementBytesMax, code: 'statement.too_large', msMax: 5 * MINUTE_MS },
};

export function bodyLimitOf(route: string): BodyLimit {
  return LIMITS[route] ?? { bytesMax: bodyBytesMax, code: 'body.too_large' };
}

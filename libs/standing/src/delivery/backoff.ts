const firstRetryMs = 5_000;
const retryMsMax = 3_600_000;

/** What is asked of us by `Retry-After` is honoured from a second to an hour. */
const retryAfterSecondsMax = 3_600;

/** How long an event is tried before it is a dead letter. */
export const deliveryLifeMs = 3 * 86_400_000;

/**
 * How long to wait after the nth failure in a row (1 is the first): 5 s doubled with each, an hour at most, of which the upper half is left to
 * chance, so that what failed together is not tried again together. `chance` is in [0, 1). Never less than the receiver asked for.
 */
export function backoffMs(failures: number, chance: number, askedSeconds = 0): number {
  const full = Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 20), retryMsMax);
  const asked = Math.min(Math.max(askedSeconds, 0), retryAfterSecondsMax) * 1_000;
  return Math.max(Math.round(full / 2 + (full / 2) * chance), asked);
}

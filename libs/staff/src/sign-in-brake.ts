/** Failed attempts counted under one key: a name, or the address they come from. */
export interface Attempts {
  readonly failures: number;
  readonly lastFailedAt: Date;
}

/** How patient the brake is with a key. Many people may share an address, nobody shares a name. */
export interface Patience {
  readonly freeFailures: number;
}
export const NAME_PATIENCE: Patience = { freeFailures: 5 };
export const ADDRESS_PATIENCE: Patience = { freeFailures: 30 };

const FIRST_WAIT_MS = 5_000;
const WAIT_MS_MAX = 15 * 60_000;

/** Silence this long clears the count. */
export const FORGET_MS = 3_600_000;

export type Braked = { readonly waitMs: number } | { readonly next: Attempts };

/**
 * Counts an attempt before its password is looked at, so that a hundred parallel guesses are a hundred attempts.
 * Past the free failures each one doubles the wait, up to 15 minutes: slow for a guesser, never a lock-out for good.
 */
export function countAttempt(known: Attempts | undefined, at: Date, patience: Patience): Braked {
  const sinceMs = known ? at.getTime() - known.lastFailedAt.getTime() : Infinity;
  const failures = known && sinceMs < FORGET_MS ? known.failures : 0;
  const waitMs = waitAfter(failures, patience) - sinceMs;
  return failures > 0 && waitMs > 0 ? { waitMs } : { next: { failures: failures + 1, lastFailedAt: at } };
}

function waitAfter(failures: number, { freeFailures }: Patience): number {
  const beyond = failures - freeFailures;
  return beyond < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(beyond, 20), WAIT_MS_MAX);
}

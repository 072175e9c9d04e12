import { type Consent, stateAt } from '#consents';
import { Refusal } from '#kernel';
import type { Disclosure, EarlierRead } from './store.js';

/**
 * The same read once more: a bank whose reply was lost gets the very content of the first time, and nothing is counted, also where the consent is
 * used up by it. Refuses 422 `idempotency.key_reused`; 403 `consent.required` where the consent was taken back, paused or is over; 412
 * `consent.data_life` where what was read may no longer be held.
 */
export function repeatRead(earlier: EarlierRead, digest: string, consent: Consent, at: Date): Disclosure {
  if (earlier.digest !== digest) throw keyReused();
  const state = stateAt(consent, at);
  if ((state !== 'ACTIVE' && state !== 'CONSUMED') || consent.terms.expiresAt <= at) {
    throw new Refusal('forbidden', 'consent.required', 'you have no consent in force of this id for this subject');
  }
  // A clock that was ahead may have erased it early.
  if (earlier.keepUntil <= at || !earlier.told) {
    throw new Refusal('precondition', 'consent.data_life', 'what was read then may no longer be held: read anew, with another key', {
      field: 'Idempotency-Key',
    });
  }
  return earlier.told;
}

export function keyReused(): Refusal {
  return new Refusal('unprocessable', 'idempotency.key_reused', 'this Idempotency-Key came with another read before');
}

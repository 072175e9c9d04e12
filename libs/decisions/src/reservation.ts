import { formatMinor, type Money, type ShardedId } from '#kernel';
import { confirmAboveReserved, currencyDiffers, refundAboveConfirmed, reservationExpired, reservationSettled } from './codes.js';

export type ReservationState = 'RESERVED' | 'CONFIRMED' | 'RELEASED' | 'EXPIRED';

export interface Reservation {
  readonly id: ShardedId;
  readonly subject: ShardedId;
  readonly caller: string;
  readonly state: ReservationState;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly confirmedMinor: bigint;
  readonly refundedMinor: bigint;
  readonly expiresAt: Date;
}

export type Settlement =
  | { readonly kind: 'confirm'; readonly money: Money | undefined }
  | { readonly kind: 'release' }
  | { readonly kind: 'refund'; readonly money: Money | undefined };

/** What the counters of the reservation's windows gain (or give back). */
export interface UsageChange {
  readonly usedMinor: bigint;
  readonly reservedMinor: bigint;
  readonly usedCount: number;
  readonly reservedCount: number;
}

/** The kinds of fact that a step leaves. */
export const FACT_KINDS: Readonly<Record<Settlement['kind'], string>> = {
  confirm: 'reservation.confirmed',
  release: 'reservation.released',
  refund: 'reservation.refunded',
};

export interface Step {
  readonly next: Reservation;
  readonly change: UsageChange;
  /** The amount this step moved. Absent: it was so already, nothing changes. */
  readonly movedMinor: bigint | undefined;
}

/**
 * RESERVED -> CONFIRMED (whole or part; the rest is free again) | RELEASED | EXPIRED. Expiry is this comparison and no job: at `expiresAt`
 * the hold is gone. The same step again is a repetition and changes nothing; a repeated refund is known by its key, outside.
 * Refuses 409 `reservation.expired` and `reservation.settled`, 422 `reservation.above_reserved`, `reservation.above_confirmed` and
 * `currency.unsupported`.
 */
export function settleReservation(known: Reservation, settlement: Settlement, at: Date): Step {
  if ('money' in settlement && settlement.money && settlement.money.currency !== known.currency) throw currencyDiffers(known.currency);
  return RULES[settlement.kind](known, 'money' in settlement ? settlement.money?.minor : undefined, at);
}

const RULES: Readonly<Record<Settlement['kind'], (known: Reservation, minor: bigint | undefined, at: Date) => Step>> = {
  confirm: (known, minor = known.amountMinor, at) => {
    if (known.state === 'CONFIRMED' && known.confirmedMinor === minor) return unchanged(known);
    refuseUnlessOpen(known, at);
    if (minor > known.amountMinor || minor <= 0n) throw confirmAboveReserved(formatMinor(known.amountMinor, known.currency));
    const next: Reservation = { ...known, state: 'CONFIRMED', confirmedMinor: minor };
    return changed(next, minor, { usedMinor: minor, reservedMinor: -known.amountMinor, usedCount: 1, reservedCount: -1 });
  },

  release: (known, _minor, at) => {
    if (known.state === 'RELEASED') return unchanged(known);
    refuseUnlessOpen(known, at);
    const change = { usedMinor: 0n, reservedMinor: -known.amountMinor, usedCount: 0, reservedCount: -1 };
    return changed({ ...known, state: 'RELEASED' }, known.amountMinor, change);
  },

  refund: (known, minor = known.confirmedMinor - known.refundedMinor) => {
    if (known.state !== 'CONFIRMED') throw reservationSettled(known.state);
    const left = known.confirmedMinor - known.refundedMinor;
    if (minor > left || minor <= 0n) throw refundAboveConfirmed(formatMinor(left, known.currency));
    const next = { ...known, refundedMinor: known.refundedMinor + minor };
    // The whole given back gives the count back, too.
    const usedCount = minor === left ? -1 : 0;
    return changed(next, minor, { usedMinor: -minor, reservedMinor: 0n, usedCount, reservedCount: 0 });
  },
};

function refuseUnlessOpen(known: Reservation, at: Date): void {
  if (known.state === 'EXPIRED' || (known.state === 'RESERVED' && at >= known.expiresAt)) throw reservationExpired();
  if (known.state !== 'RESERVED') throw reservationSettled(known.state);
}

function unchanged(known: Reservation): Step {
  return { next: known, change: { usedMinor: 0n, reservedMinor: 0n, usedCount: 0, reservedCount: 0 }, movedMinor: undefined };
}

function changed(next: Reservation, movedMinor: bigint, change: UsageChange): Step {
  return { next, change, movedMinor };
}

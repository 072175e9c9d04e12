import type { AllowanceState, AllowanceStatus } from '#contract';
import { formatId, type Money, type ShardedId, toWireMoney } from '#kernel';
import type { ReservationState } from './reservation.js';

/** As issued; it never changes. It bears the UUID of its decision and of the reservation that holds its amount. */
export interface Allowance {
  readonly id: ShardedId;
  readonly subject: ShardedId;
  /** The service account it was issued to: the only one that may settle it. */
  readonly holder: string;
  readonly service: string;
  readonly counterparty: string | undefined;
  readonly channel: string | undefined;
  readonly money: Money;
  readonly spendsAsked: number;
  readonly spendsMax: number;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** When the hold runs out: the grace after `expiresAt`. */
  readonly holdUntil: Date;
}

/** The reservation behind it. While RESERVED it holds the amount less what was confirmed, and one transaction for each part left. */
export interface AllowanceHold {
  readonly state: ReservationState;
  readonly confirmedMinor: bigint;
  readonly transactions: number;
}

/** An allowance with all that was spent of it, from the hold or late. */
export interface AllowanceKnown {
  readonly allowance: Allowance;
  readonly hold: AllowanceHold;
  readonly closedAt: Date | undefined;
  readonly spentMinor: bigint;
  readonly spends: number;
}

/**
 * Decisions for allowances are made under a name that no token can bear, so that their reservations answer to nobody but the allowance: confirmed
 * or released directly, the amount would be free while the allowance can still be spent.
 */
export function allowanceCaller(holder: string): string {
  return `allowance:${holder}`;
}

/** A caller sees its own decisions, those for its allowances among them. */
export function isDecisionOf(row: { readonly caller: string }, caller: string): boolean {
  return row.caller === caller || row.caller === allowanceCaller(caller);
}

/** How many parts may be spent where the decision has taken one transaction and this many are left of the tightest count. */
export function spendsGranted(asked: number, countLeft: number | undefined): number {
  return Math.min(asked, 1 + Math.max(0, countLeft ?? asked));
}

export function allowanceState({ allowance, hold, closedAt }: AllowanceKnown, at: Date): AllowanceState {
  if (closedAt) return 'CLOSED';
  return hold.state === 'RESERVED' && at < allowance.holdUntil ? 'OPEN' : 'EXPIRED';
}

export function allowanceStatus(known: AllowanceKnown, at: Date): AllowanceStatus {
  const { allowance, spentMinor, spends } = known;
  return {
    allowanceId: formatId('alw', allowance.id),
    state: allowanceState(known, at),
    amount: toWireMoney(allowance.money),
    spent: toWireMoney({ minor: spentMinor, currency: allowance.money.currency }),
    spends,
    spendsMax: allowance.spendsMax,
    expiresAt: allowance.expiresAt.toISOString(),
    settleBy: allowance.holdUntil.toISOString(),
  };
}

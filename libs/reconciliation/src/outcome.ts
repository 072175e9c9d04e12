import type { ConfirmedPayment } from '#decisions';
import type { ReferenceKind } from './statement.js';

/** CONTRACT.md §8. "Ours" is what the platform confirmed, "theirs" what the statement says. */
export type BreakKind =
  'MISSING_OURS' | 'MISSING_THEIRS' | 'OVER_AMOUNT' | 'UNDER_AMOUNT' | 'CURRENCY_MISMATCH' | 'DATA_MISMATCH' | 'DUPLICATE' | 'LATE';
export type OutcomeKind = 'MATCHED' | BreakKind;

/** What became of a line of theirs, of a payment of ours, or of the two together. */
export interface Outcome {
  /** The line's number; a missing payment is numbered after the last line. */
  readonly n: number;
  readonly kind: OutcomeKind;
  readonly reason: string;
  readonly line?: number;
  readonly payment?: ConfirmedPayment;
  readonly identifiedBy?: ReferenceKind;
}

/** A line that took its payment, rightly or wrongly: the payment cannot be taken again by another line or statement. */
export function takesPayment(outcome: Outcome): boolean {
  return outcome.line !== undefined && outcome.payment !== undefined && outcome.kind !== 'DUPLICATE';
}

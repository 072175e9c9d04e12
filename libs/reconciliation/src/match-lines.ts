import type { ConfirmedPayment } from '#decisions';
import { formatMinor, type Money } from '#kernel';
import type { Outcome, OutcomeKind } from './outcome.js';
import { startOfDay } from './period.js';
import { candidateReferences } from './references.js';
import type { Reference } from './statement.js';
import type { BookedLine, StatementLine } from './statement-line.js';

export interface MatchRules {
  /** How many days after (or before) its confirmation a payment may be booked. */
  readonly bookingDaysMax: number;
  /** The offset of a day that a statement names without one. */
  readonly utcOffsetMinutes: number;
}

export const MATCH_RULES: MatchRules = { bookingDaysMax: 3, utcOffsetMinutes: 0 };

/** A line and the payment reference it bears; without one, none of its identifiers belongs to a payment of ours. */
export interface IdentifiedLine {
  readonly line: BookedLine;
  readonly reference?: Reference;
}

/** A payment that a line may be about. `taken`: another statement already has it. */
export interface Candidate {
  readonly payment: ConfirmedPayment;
  readonly taken: boolean;
}

/** The first of a line's identifiers, in their order of trust, that is a payment reference of ours. */
export function identifyLine(line: StatementLine, known: ReadonlySet<string>): IdentifiedLine {
  const reference = candidateReferences(line.references).find(({ value }) => known.has(value));
  const { references: _asked, ...booked } = line;
  return reference ? { line: booked, reference } : { line: booked };
}

/**
 * One outcome for every line. All lines and candidates of a reference must be given together; which references share a call does not
 * matter, nor does any order. Within a reference the best pairs are made first, so a correct line is never lost to a wrong twin.
 */
export function matchLines(lines: readonly IdentifiedLine[], candidates: readonly Candidate[], rules: MatchRules): Outcome[] {
  const byReference = groupBy(candidates, ({ payment }) => payment.paymentReference);
  const groups = groupBy(lines, ({ reference }) => reference?.value);
  const outcomes = [...groups].flatMap(([reference, group]) =>
    reference === undefined ? group.map(unknown) : matchGroup(group, byReference.get(reference) ?? [], rules),
  );
  return outcomes.sort((a, b) => a.n - b.n);
}

/** One `MISSING_THEIRS` for every expected payment that no line took, numbered after the last line. */
export function missingPayments(expected: readonly ConfirmedPayment[], taken: ReadonlySet<string>, lastN: number): Outcome[] {
  const missing = expected.filter(({ reservation }) => !taken.has(reservation.uuid));
  missing.sort((a, b) => a.confirmedAt.getTime() - b.confirmedAt.getTime() || compare(a.reservation.uuid, b.reservation.uuid));
  return missing.map((payment, i) => ({
    n: lastN + 1 + i,
    kind: 'MISSING_THEIRS',
    reason: `confirmed ${payment.confirmedAt.toISOString()} and not on the statement of that time`,
    payment,
  }));
}

function unknown({ line }: IdentifiedLine): Outcome {
  return {
    n: line.n,
    line: line.n,
    kind: 'MISSING_OURS',
    reason: 'no confirmed payment whose decision names this bank as its channel bears any of its references',
  };
}

interface Pair extends Verdict {
  readonly identified: IdentifiedLine;
  readonly payment: ConfirmedPayment;
}

interface Verdict {
  readonly kind: OutcomeKind;
  readonly reason: string;
  readonly daysApart: number;
}

/** Better pairs first: how a pair is judged, then how near its days are. */
const PREFERENCE: readonly OutcomeKind[] = ['MATCHED', 'LATE', 'OVER_AMOUNT', 'UNDER_AMOUNT', 'DATA_MISMATCH', 'CURRENCY_MISMATCH'];

function matchGroup(group: readonly IdentifiedLine[], candidates: readonly Candidate[], rules: MatchRules): Outcome[] {
  const free = candidates.filter(({ taken }) => !taken);
  const pairs = group.flatMap((identified) =>
    free.map(({ payment }) => ({ identified, payment, ...judge(identified.line, payment, rules) })),
  );
  const outcomes = new Map<number, Outcome>();
  const used = new Set<ConfirmedPayment>();
  for (const pair of pairs.sort(comparePairs)) {
    const { n } = pair.identified.line;
    if (outcomes.has(n) || used.has(pair.payment)) continue;
    used.add(pair.payment);
    outcomes.set(n, toOutcome(pair));
  }
  const [first] = candidates.map(({ payment }) => payment).sort((a, b) => compare(a.reservation.uuid, b.reservation.uuid));
  return group.map((identified) => outcomes.get(identified.line.n) ?? surplus(identified, first));
}

function comparePairs(a: Pair, b: Pair): number {
  return (
    PREFERENCE.indexOf(a.kind) - PREFERENCE.indexOf(b.kind) ||
    Math.abs(a.daysApart) - Math.abs(b.daysApart) ||
    a.identified.line.n - b.identified.line.n ||
    compare(a.payment.reservation.uuid, b.payment.reservation.uuid)
  );
}

function toOutcome({ identified: { line, reference }, payment, kind, reason }: Pair): Outcome {
  return { n: line.n, line: line.n, kind, reason, payment, ...(reference ? { identifiedBy: reference.kind } : {}) };
}

function surplus(identified: IdentifiedLine, payment: ConfirmedPayment | undefined): Outcome {
  const { line, reference } = identified;
  if (!payment || !reference) return unknown(identified);
  const reason = 'the payment of this reference is already taken by another line or statement';
  return { n: line.n, line: line.n, kind: 'DUPLICATE', reason, payment, identifiedBy: reference.kind };
}

/** How a line compares with the payment whose reference it bears: currency, direction, amount, then days. */
function judge(line: BookedLine, payment: ConfirmedPayment, rules: MatchRules): Verdict {
  const daysApart = daysBetween(line, payment, rules);
  const verdict = (kind: OutcomeKind, reason: string): Verdict => ({ kind, reason, daysApart });
  const theirs = wording(line.money);
  const ours = wording(payment.money);
  if (line.money.currency !== payment.money.currency)
    return verdict('CURRENCY_MISMATCH', `the statement says ${theirs}, the payment is ${ours}`);
  if (line.direction !== 'CRDT') return verdict('DATA_MISMATCH', 'the statement debits what was confirmed as a payment to us');
  if (line.reversal) return verdict('DATA_MISMATCH', 'the statement marks it as a reversal');
  if (line.money.minor > payment.money.minor) return verdict('OVER_AMOUNT', `the statement says ${theirs}, the payment is ${ours}`);
  if (line.money.minor < payment.money.minor) return verdict('UNDER_AMOUNT', `the statement says ${theirs}, the payment is ${ours}`);
  if (daysApart > rules.bookingDaysMax) return verdict('LATE', `booked ${daysApart} days after it was confirmed`);
  if (daysApart < -rules.bookingDaysMax) return verdict('DATA_MISMATCH', `booked ${-daysApart} days before it was confirmed`);
  return verdict('MATCHED', `same reference, amount, currency and direction; booked ${daysApart} days after it was confirmed`);
}

const DAY_MS = 86_400_000;

/** Whole days from confirmation to booking; none where the line has no booking date. */
function daysBetween({ bookedOn }: BookedLine, { confirmedAt }: ConfirmedPayment, { utcOffsetMinutes }: MatchRules): number {
  if (!bookedOn) return 0;
  const confirmedDay = new Date(confirmedAt.getTime() + utcOffsetMinutes * 60_000).toISOString().slice(0, 10);
  return Math.round((startOfDay(bookedOn.day, 0) - startOfDay(confirmedDay, 0)) / DAY_MS);
}

function wording({ minor, currency }: Money): string {
  return `${formatMinor(minor, currency)} ${currency}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

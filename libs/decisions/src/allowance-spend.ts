import type { SpendResult } from '#contract';
import type { ShardedId } from '#kernel';
import { NOT_COVERED } from './allowance-codes.js';
import type { Allowance, AllowanceHold, AllowanceKnown } from './allowance.js';
import type { UsageChange } from './reservation.js';

/** A service's clock may differ from the ledger's by this much. */
export const spendSkewMs = 5_000;

/** A part as its holder reports it. */
export interface SpendReport {
  readonly paymentReference: string;
  readonly minor: bigint;
  readonly at: Date;
}

/** A part as it was recorded at its first report. */
export interface RecordedSpend {
  readonly report: SpendReport;
  readonly result: SpendResult['result'];
  readonly code: string | undefined;
  /** The part's own reservation; absent where it was refused. */
  readonly reservation: ShardedId | undefined;
}

export interface SettlementInput {
  readonly known: AllowanceKnown;
  readonly reports: readonly SpendReport[];
  /** Nothing more will be spent. */
  readonly close: boolean;
  /** Parts reported before, by payment reference. */
  readonly recorded: ReadonlyMap<string, RecordedSpend>;
  /** Payment references of these reports that other reservations of the service bear. */
  readonly taken: ReadonlySet<string>;
  /** Of this installation's head row. */
  readonly at: Date;
  newReservation(): ShardedId;
}

/** What the ledger has to save. */
export interface SettlementStep {
  readonly next: AllowanceKnown;
  readonly added: readonly RecordedSpend[];
  /** One for each report, in order. */
  readonly results: readonly (RecordedSpend | DifferingSpend)[];
  readonly change: UsageChange;
  /** What happened to the hold, where it ended here. */
  readonly ended: 'confirm' | 'release' | undefined;
}

/** Another part was reported under this reference before; that one stands. */
export interface DifferingSpend {
  readonly report: SpendReport;
  readonly result: 'REFUSED';
  readonly code: string;
  readonly reservation?: undefined;
}

/**
 * Takes reported parts from an allowance, each once (a payment reference names it). While the hold stands they are SETTLED; afterwards they are
 * LATE: the money is gone, so it counts as used, and no room was kept for it. In both cases all parts together stay within the allowance;
 * what does not is REFUSED, and that is recorded, too. The hold ends when its holder closes it or nothing is left to spend.
 */
export function settleSpends(input: SettlementInput): SettlementStep {
  const recorded = new Map(input.recorded);
  let { known } = input;
  const added: RecordedSpend[] = [];
  const results = input.reports.map((report) => {
    const before = recorded.get(report.paymentReference);
    if (before) return sameReport(before.report, report) ? before : differing(report);
    const spend = judge(known, report, input);
    recorded.set(report.paymentReference, spend);
    added.push(spend);
    if (spend.reservation) known = spendOf(known, report.minor);
    return spend;
  });
  const taken = usageOf(input.known.hold, known.hold, added);
  const ends = input.close || isUsedUp(known);
  const next = ends ? closed(known, input.at) : known;
  const ended = endOf(known.hold, next.hold);
  return { next, added, results, change: ended ? freed(taken, known) : taken, ended };
}

function sameReport(a: SpendReport, b: SpendReport): boolean {
  return a.minor === b.minor && a.at.getTime() === b.at.getTime();
}

function differing(report: SpendReport): DifferingSpend {
  return { report, result: 'REFUSED', code: NOT_COVERED.differs };
}

function judge({ allowance, hold, spentMinor, spends }: AllowanceKnown, report: SpendReport, { taken, newReservation }: SettlementInput) {
  const refused = (code: string): RecordedSpend => ({ report, result: 'REFUSED', code, reservation: undefined });
  if (!isInTime(allowance, report.at)) return refused(NOT_COVERED.outside);
  if (spentMinor + report.minor > allowance.money.minor || spends + 1 > allowance.spendsMax) return refused(NOT_COVERED.above);
  if (taken.has(report.paymentReference)) return refused(NOT_COVERED.taken);
  const result = hold.state === 'RESERVED' ? 'SETTLED' : 'LATE';
  return { report, result, code: undefined, reservation: newReservation() } satisfies RecordedSpend;
}

function isInTime({ issuedAt, expiresAt }: Allowance, at: Date): boolean {
  return at.getTime() >= issuedAt.getTime() - spendSkewMs && at.getTime() < expiresAt.getTime() + spendSkewMs;
}

function spendOf(known: AllowanceKnown, minor: bigint): AllowanceKnown {
  const { hold } = known;
  const held = { ...hold, confirmedMinor: hold.confirmedMinor + minor, transactions: hold.transactions - 1 };
  return {
    ...known,
    hold: hold.state === 'RESERVED' ? held : hold,
    spentMinor: known.spentMinor + minor,
    spends: known.spends + 1,
  };
}

/** Every part that counts is used; what came from the hold is no longer reserved. */
function usageOf(before: AllowanceHold, after: AllowanceHold, added: readonly RecordedSpend[]): UsageChange {
  const covered = added.filter(({ reservation }) => reservation !== undefined);
  return {
    usedMinor: covered.reduce((sum, { report }) => sum + report.minor, 0n),
    usedCount: covered.length,
    reservedMinor: before.confirmedMinor - after.confirmedMinor,
    reservedCount: after.transactions - before.transactions,
  };
}

function isUsedUp({ allowance, spentMinor, spends }: AllowanceKnown): boolean {
  return spentMinor === allowance.money.minor || spends === allowance.spendsMax;
}

function closed(known: AllowanceKnown, at: Date): AllowanceKnown {
  const { hold } = known;
  const state = hold.state !== 'RESERVED' ? hold.state : hold.confirmedMinor > 0n ? 'CONFIRMED' : 'RELEASED';
  return { ...known, closedAt: known.closedAt ?? at, hold: { ...hold, state, transactions: state === hold.state ? hold.transactions : 0 } };
}

function endOf(before: AllowanceHold, after: AllowanceHold): SettlementStep['ended'] {
  if (before.state === after.state) return undefined;
  return after.state === 'CONFIRMED' ? 'confirm' : 'release';
}

function freed(taken: UsageChange, { allowance, hold }: AllowanceKnown): UsageChange {
  return {
    ...taken,
    reservedMinor: taken.reservedMinor - (allowance.money.minor - hold.confirmedMinor),
    reservedCount: taken.reservedCount - hold.transactions,
  };
}

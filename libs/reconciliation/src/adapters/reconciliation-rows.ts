import type { Shard, ShardedId } from '#kernel';
import type { IdentifiedLine } from '../match-lines.js';
import type { Outcome, OutcomeKind } from '../outcome.js';
import type { Reconciliation, ReconciliationState } from '../reconciliation.js';
import type { Direction, ReferenceKind } from '../statement.js';
import type { BookedLine } from '../statement-line.js';
import type { OutcomeView } from '../store.js';
import { decodeStatements, type StoredStatement } from './statement-json.js';

/** Rows of migration 20261121000800, and the nouns they are. */
export interface ReconciliationRow {
  readonly shard: Shard;
  readonly id: string;
  readonly participant: string;
  readonly digest: string;
  readonly size_bytes: number;
  readonly received_at: Date;
  readonly closed_at: Date | null;
  readonly state: ReconciliationState;
  readonly statements: readonly StoredStatement[];
  readonly entries: number;
  readonly lines_total: number;
  readonly lines_read: number;
  readonly lines_matched: number;
  readonly counts: Partial<Record<OutcomeKind, number>>;
  readonly epoch: number;
}

export const RECONCILIATION_COLUMNS = `shard, id, participant, encode(digest, 'hex') AS digest, size_bytes, received_at, closed_at, state, statements,
  entries, lines_total, lines_read, lines_matched, counts, epoch`;

export function toReconciliation(row: ReconciliationRow): Reconciliation {
  return {
    id: { shard: row.shard, uuid: row.id },
    participant: row.participant,
    digest: row.digest,
    sizeBytes: row.size_bytes,
    receivedAt: row.received_at,
    ...(row.closed_at ? { closedAt: row.closed_at } : {}),
    state: row.state,
    statements: decodeStatements(row.statements),
    entries: row.entries,
    progress: { linesTotal: row.lines_total, linesRead: row.lines_read, linesMatched: row.lines_matched },
    counts: row.counts,
  };
}

export interface LineRow {
  readonly n: number;
  readonly match_key: string;
  readonly identified_by: ReferenceKind | null;
  readonly statement_n: number;
  readonly file_line: number;
  readonly minor: bigint;
  readonly currency: string;
  readonly direction: Direction;
  readonly reversal: boolean;
  readonly booked_day: string | null;
  readonly booked_at: Date | null;
  readonly end_to_end_id: string | null;
}

export const LINE_COLUMNS = `n, match_key, identified_by, statement_n, file_line, minor, currency, direction, reversal, booked_day, booked_at,
  end_to_end_id`;

/** `=` and a reference of ours, or `#` and the line's own number: lines of one payment stand together, others alone. */
function matchKeyOf({ line, reference }: IdentifiedLine): string {
  return reference ? `=${reference.value}` : `#${line.n}`;
}

export function toIdentifiedLine(row: LineRow): IdentifiedLine {
  const line = toBookedLine(row);
  return row.identified_by === null ? { line } : { line, reference: { kind: row.identified_by, value: row.match_key.slice(1) } };
}

function toBookedLine(row: LineRow): BookedLine {
  return {
    n: row.n,
    statement: row.statement_n,
    fileLine: row.file_line,
    money: { minor: row.minor, currency: row.currency },
    direction: row.direction,
    reversal: row.reversal,
    ...(row.booked_day === null ? {} : { bookedOn: { day: row.booked_day, ...(row.booked_at ? { instant: row.booked_at } : {}) } }),
    ...(row.end_to_end_id === null ? {} : { endToEndId: row.end_to_end_id }),
  };
}

export interface OutcomeRow extends LineRow {
  readonly outcome_n: number;
  readonly kind: OutcomeKind;
  readonly reason: string;
  readonly outcome_by: ReferenceKind | null;
  readonly line: number | null;
  readonly payment: string | null;
  readonly payment_shard: Shard | null;
  readonly payment_decision: string | null;
  readonly payment_reference: string | null;
  readonly payment_minor: bigint | null;
  readonly payment_currency: string | null;
  readonly payment_confirmed_at: Date | null;
}

export function toOutcomeView(row: OutcomeRow): OutcomeView {
  return {
    n: row.outcome_n,
    kind: row.kind,
    reason: row.reason,
    ...(row.outcome_by === null ? {} : { identifiedBy: row.outcome_by }),
    ...(row.line === null ? {} : { line: toBookedLine(row) }),
    ...(row.payment === null ? {} : { payment: toPayment(row, row.payment) }),
  };
}

function toPayment(row: OutcomeRow, uuid: string): NonNullable<OutcomeView['payment']> {
  const onShard = (id: string): ShardedId => ({ shard: row.payment_shard!, uuid: id });
  return {
    reservation: onShard(uuid),
    decision: onShard(row.payment_decision!),
    paymentReference: row.payment_reference!,
    money: { minor: row.payment_minor!, currency: row.payment_currency! },
    confirmedAt: row.payment_confirmed_at!,
  };
}

/** Column arrays for `unnest`, in the order of the INSERT in `pg-reconciliation-store.ts`. */
export function lineArrays(lines: readonly IdentifiedLine[]): unknown[][] {
  return [
    lines.map(({ line }) => line.n),
    lines.map(matchKeyOf),
    lines.map(({ reference }) => reference?.kind ?? null),
    lines.map(({ line }) => line.statement),
    lines.map(({ line }) => line.fileLine),
    lines.map(({ line }) => line.money.minor),
    lines.map(({ line }) => line.money.currency),
    lines.map(({ line }) => line.direction),
    lines.map(({ line }) => line.reversal),
    lines.map(({ line }) => line.bookedOn?.day ?? null),
    lines.map(({ line }) => line.bookedOn?.instant ?? null),
    lines.map(({ line }) => line.endToEndId ?? null),
  ];
}

export function outcomeArrays(outcomes: readonly Outcome[]): unknown[][] {
  return [
    outcomes.map(({ n }) => n),
    outcomes.map(({ kind }) => kind),
    outcomes.map(({ reason }) => reason),
    outcomes.map(({ identifiedBy }) => identifiedBy ?? null),
    outcomes.map(({ line }) => line ?? null),
    outcomes.map(({ payment }) => payment?.reservation.uuid ?? null),
    outcomes.map(({ payment }) => payment?.reservation.shard ?? null),
    outcomes.map(({ payment }) => payment?.decision.uuid ?? null),
    outcomes.map(({ payment }) => payment?.paymentReference ?? null),
    outcomes.map(({ payment }) => payment?.money.minor ?? null),
    outcomes.map(({ payment }) => payment?.money.currency ?? null),
    outcomes.map(({ payment }) => payment?.confirmedAt ?? null),
  ];
}

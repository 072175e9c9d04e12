import type { ConfirmedPayment } from '#decisions';
import type { Facts, ShardedId } from '#kernel';
import type { IdentifiedLine } from './match-lines.js';
import type { Outcome, OutcomeKind } from './outcome.js';
import type { CheckedStatement, Reconciliation } from './reconciliation.js';
import type { BookedLine } from './statement-line.js';

/** A file that was read to its end once and is to be kept. */
export interface NewReconciliation {
  readonly id: ShardedId;
  readonly participant: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly receivedAt: Date;
  readonly statements: readonly CheckedStatement[];
  readonly entries: number;
  readonly linesTotal: number;
}

/** The right to work on a reconciliation, until it runs out or someone takes it over: every write names the epoch it was given. */
export interface Lease {
  readonly id: ShardedId;
  readonly epoch: number;
}

/** Thrown by every write under a lease that another worker has taken over: stop, nothing of this write was kept. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Work that is not closed and that nobody holds. A new epoch makes a new job of it, so a queue that remembers the old one takes it. */
export interface Outstanding {
  readonly id: ShardedId;
  readonly epoch: number;
}

/** An outcome with the line it is about, for whoever reads the result. */
export interface OutcomeView extends Omit<Outcome, 'line' | 'payment'> {
  readonly line?: BookedLine;
  readonly payment?: Pick<ConfirmedPayment, 'reservation' | 'decision' | 'paymentReference' | 'money' | 'confirmedAt'>;
}

/** Where statement files and their reconciliation live. Everything of a participant is on the participant's shard. */
export interface ReconciliationStore {
  /** Keeps the bytes, the resource and the fact together. The same file of the same participant again: the first, and nothing is kept. */
  receive(
    incoming: NewReconciliation,
    bytes: AsyncIterable<Uint8Array>,
    facts: Facts,
  ): Promise<{ readonly reconciliation: Reconciliation; readonly repeated: boolean }>;
  find(id: ShardedId): Promise<Reconciliation | undefined>;
  /** The file exactly as received. */
  readBytes(id: ShardedId): AsyncIterable<Uint8Array>;

  outstanding(countMax: number): Promise<Outstanding[]>;
  /** Undefined where it is closed, unknown or held by somebody. */
  lease(id: ShardedId, leaseMs: number): Promise<{ readonly lease: Lease; readonly reconciliation: Reconciliation } | undefined>;
  /** Gives it back, to be taken again after `retryAfterMs`. Does nothing where the lease is lost. */
  release(lease: Lease, retryAfterMs: number): Promise<void>;

  /** Adds the next lines and, with them, the progress of the reading; the last page makes it PARSED. Extends the lease. */
  saveLines(lease: Lease, lines: readonly IdentifiedLine[], last: boolean, leaseMs: number): Promise<void>;
  /** About `linesMax` lines that have no outcome yet; all lines of a reference come together. Empty at the end. */
  nextLines(lease: Lease, linesMax: number): Promise<IdentifiedLine[]>;
  /** Keeps the outcomes of a page of `nextLines` and moves on: MATCHING. Extends the lease. */
  saveOutcomes(lease: Lease, outcomes: readonly Outcome[], leaseMs: number): Promise<void>;
  /** Of these payments (by reservation), which were taken by lines of this participant, and in which reconciliation. */
  takenPayments(id: ShardedId, reservations: readonly string[]): Promise<ReadonlyMap<string, string>>;
  countOutcomes(id: ShardedId): Promise<Partial<Record<OutcomeKind, number>>>;
  /** The end: the missing payments, the verdict, its counts and its fact in one transaction. */
  close(lease: Lease, end: Closing, facts: Facts): Promise<void>;

  /** Outcomes after number `after`, in their order: only MATCHED, or only breaks. */
  outcomes(id: ShardedId, side: 'matches' | 'breaks', after: number, countMax: number): Promise<OutcomeView[]>;
}

export interface Closing {
  readonly state: 'BALANCED' | 'BROKEN';
  readonly missing: readonly Outcome[];
  readonly counts: Partial<Record<OutcomeKind, number>>;
  readonly closedAt: Date;
}

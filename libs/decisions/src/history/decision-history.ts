import type { Shard } from '#kernel';
import type { RecordedDecision, RecordedSettlement } from './recorded.js';

/** A place in the order of subjects and, within one, of numbers. */
export interface SubjectPlace {
  readonly subject: string;
  /** Absent: after everything of this subject. */
  readonly seq?: bigint;
}

/** A decision as it was read, with what ties a report to it. */
export interface HistoryRow extends RecordedDecision {
  /** SHA-256 of all that was recorded about it, hex. */
  readonly digest: string;
}

export type HistoryEvent =
  | { readonly type: 'decision'; readonly seq: bigint; readonly subject: string; readonly decision: RecordedDecision }
  | { readonly type: 'settlement'; readonly seq: bigint; readonly subject: string; readonly settlement: RecordedSettlement };

/** What was decided and settled, as it stands in the ledger. Reading it leaves no trace and waits for nobody. */
export interface DecisionHistory {
  /** The last number of every shard that has one. Everything up to it can be read. */
  heads(): Promise<ReadonlyMap<Shard, bigint>>;
  count(shard: Shard, untilSeq: bigint): Promise<bigint>;
  /** When the first and the last decision up to this number were taken. */
  span(shard: Shard, untilSeq: bigint): Promise<{ readonly firstAt: Date; readonly lastAt: Date } | undefined>;
  /** Decisions in the order of subjects and numbers; `only`: of these subjects. */
  bySubject(
    shard: Shard,
    untilSeq: bigint,
    page: { after?: SubjectPlace; countMax: number; only?: readonly string[] },
  ): Promise<HistoryRow[]>;
  /** Every step of these decisions' reservations, in the order of numbers. */
  settlementsOf(shard: Shard, decisions: readonly string[], untilSeq: bigint): Promise<RecordedSettlement[]>;
  /** What happened in (after, until], in the order of numbers, at most about `countMax`; and the number up to which that is all. */
  between(shard: Shard, after: bigint, until: bigint, countMax: number): Promise<{ events: HistoryEvent[]; readTo: bigint }>;
}

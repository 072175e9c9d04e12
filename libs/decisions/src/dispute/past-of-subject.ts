import type { Link } from '#consents';
import type { SubjectKind } from '#contract';
import type { ShardedId } from '#kernel';
import type { Dispute, RecordInForce } from '#records';
import { type Chain, disputedRecord, type DisputedRecord, type Ladder } from '#standing';

/** A record that counted once, from the fact that brought it to the fact that ended it: numbers of one order with the decisions. */
export interface PastRecord extends RecordInForce {
  readonly fromSeq: bigint;
  /** Absent: nothing but its validity has ended it. */
  readonly untilSeq?: bigint | undefined;
}

/** Everything by which a subject was ever judged, as far as it can be told again. */
export interface PastOfSubject {
  readonly subject: ShardedId;
  readonly kind: SubjectKind;
  readonly records: readonly PastRecord[];
  readonly links: readonly Link[];
  /** Of every restriction that ever stood: the chain it came from, by its UUID. */
  readonly causes: ReadonlyMap<string, Chain>;
  readonly disputes: readonly Dispute[];
  /** The active policy's. */
  readonly ladder: Ladder;
}

/** The records that counted when the fact `seq` was written. */
export function recordsThen({ records }: PastOfSubject, seq: bigint, at: Date): PastRecord[] {
  return records.filter(
    ({ fromSeq, untilSeq, validUntil }) => fromSeq < seq && (untilSeq === undefined || untilSeq > seq) && validUntil > at,
  );
}

export function disputesThen({ disputes }: PastOfSubject, seq: bigint): DisputedRecord[] {
  return disputes
    .filter(({ openedSeq, closedSeq }) => openedSeq < seq && (closedSeq === undefined || closedSeq > seq))
    .map((dispute) => disputedRecord(dispute));
}

/** A stretch of facts: after `afterSeq`, before `beforeSeq`. */
export interface Stretch {
  readonly afterSeq: bigint;
  readonly beforeSeq?: bigint | undefined;
}

/**
 * When the disputed record counted: from its acceptance to its end, without the time in which it was disputed and counted for nothing. A record of a
 * batch counts from the next judgement on, a second later at most; decisions in that second are listed, too.
 */
export function stretchesOf(past: PastOfSubject, { record }: Pick<Dispute, 'record'>): Stretch[] {
  const found = past.records.find(({ iss, jti }) => iss === record.iss && jti === record.jti);
  let from = record.factSeq;
  const stretches: Stretch[] = [];
  const idle = past.disputes
    .filter((one) => one.record.jti === record.jti && one.record.iss === record.iss && countsForNothing(one))
    .sort((a, b) => (a.openedSeq < b.openedSeq ? -1 : 1));
  for (const { openedSeq, closedSeq } of idle) {
    stretches.push({ afterSeq: from, beforeSeq: openedSeq });
    if (closedSeq === undefined) return stretches;
    from = closedSeq;
  }
  const end = found?.untilSeq;
  return end !== undefined && end <= from ? stretches : [...stretches, { afterSeq: from, beforeSeq: end }];
}

function countsForNothing({ record, treatment }: Dispute): boolean {
  return treatment.score === 'EXCLUDE' && (record.kind !== 'violation' || treatment.restrictions === 'SUSPEND');
}

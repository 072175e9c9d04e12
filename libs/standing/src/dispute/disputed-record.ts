import { type Link } from '#consents';
import type { SubjectKind } from '#contract';
import type { Dispute, DisputeTreatment, RecordInForce } from '#records';
import { deriveIndicators, score, type Score, type Scorecard } from '#scoring';
import { type Chain, isSameChain, type JudgedViolation } from '../imposed.js';

/** A record in force that is disputed, as its subject's standing knows it. */
export interface DisputedRecord extends Chain, DisputeTreatment {
  /** The dispute's UUID. */
  readonly dispute: string;
}

export function disputedRecord({ id, record, treatment }: Pick<Dispute, 'id' | 'record' | 'treatment'>): DisputedRecord {
  return { dispute: id, iss: record.iss, rootJti: record.rootJti, ...treatment };
}

/** Whether the same records are disputed in the same way. */
export function isSameDisputes(one: readonly DisputedRecord[], other: readonly DisputedRecord[]): boolean {
  return one.map(({ dispute }) => dispute).join() === other.map(({ dispute }) => dispute).join();
}

export function findDisputed(disputes: readonly DisputedRecord[], record: Chain): DisputedRecord | undefined {
  return disputes.find((one) => isSameChain(one, record));
}

interface ScoreGrounds {
  readonly records: readonly RecordInForce[];
  readonly links: readonly Link[];
  readonly kind: SubjectKind;
  readonly scorecard: Scorecard;
  readonly at: Date;
}

/** The score while records are disputed: what is excluded does not count either way; what is capped cannot lift it by more than its points. */
export function disputedScore({ records, links, kind, scorecard, at }: ScoreGrounds, disputes: readonly DisputedRecord[]): Score {
  const scoreOf = (counted: readonly RecordInForce[]) => score(deriveIndicators(counted, links, at), kind, scorecard);
  const isTreated = (record: RecordInForce, how: DisputeTreatment['score']) => findDisputed(disputes, record)?.score === how;
  const undoubted = records.filter((record) => !isTreated(record, 'EXCLUDE'));
  const withCapped = scoreOf(undoubted);
  const capped = disputes.filter((one) => one.score === 'CAP');
  if (capped.length === 0) return withCapped;
  const without = scoreOf(undoubted.filter((record) => !isTreated(record, 'CAP')));
  const highest = withCapped.value + Math.min(...capped.map(({ capPoints }) => capPoints));
  return without.value <= highest ? without : { value: highest, factors: withCapped.factors };
}

/** The records that the ladder looks at: a suspended violation costs nothing for the time being. */
export function withoutSuspended(records: readonly RecordInForce[], disputes: readonly DisputedRecord[]): readonly RecordInForce[] {
  if (disputes.length === 0) return records;
  return records.filter((record) => findDisputed(disputes, record)?.restrictions !== 'SUSPEND');
}

/**
 * What the ladder is to remember of its earlier judgements. A violation that was suspended and counts again is judged anew, and so is every later
 * one of its code, because it may have climbed for it.
 */
export function judgedBefore(
  judged: readonly JudgedViolation[],
  records: readonly RecordInForce[],
  before: readonly DisputedRecord[],
  now: readonly DisputedRecord[],
): readonly JudgedViolation[] {
  const isSuspended = (disputes: readonly DisputedRecord[], one: Chain) => findDisputed(disputes, one)?.restrictions === 'SUSPEND';
  const returning = records.filter((one) => isSuspended(before, one) && !isSuspended(now, one));
  if (returning.length === 0) return judged;
  const mayHaveClimbed = (one: JudgedViolation) => returning.some((back) => isLaterOfItsCode(recordOf(records, one), back));
  return judged.filter((one) => one.overturned || !mayHaveClimbed(one));
}

/** An appeal's success is not forgotten because the violation was suspended meanwhile. */
export function overturnedAside(judged: readonly JudgedViolation[], disputes: readonly DisputedRecord[]): JudgedViolation[] {
  return judged.filter((one) => one.overturned && findDisputed(disputes, one)?.restrictions === 'SUSPEND');
}

/** Whether `other` is a violation of the same code after `violation`: one that may have climbed for it. */
export function isLaterOfItsCode(other: RecordInForce | undefined, violation: RecordInForce): boolean {
  if (other?.body.kind !== 'violation' || violation.body.kind !== 'violation' || isSameChain(other, violation)) return false;
  const [late, early] = [other.body.violation, violation.body.violation];
  return late.code === early.code && Date.parse(late.occurredAt) > Date.parse(early.occurredAt);
}

function recordOf(records: readonly RecordInForce[], chain: Chain): RecordInForce | undefined {
  return records.find((record) => isSameChain(record, chain));
}

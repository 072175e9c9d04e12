import { type Fact, Refusal } from '#kernel';
import {
  type Dispute,
  type DisputeAnswer,
  type DisputeClock,
  type DisputeDeadlines,
  disputeFact,
  type DisputeOutcome,
  nextRing,
} from './dispute.js';

/** A step of a dispute: how it is afterwards, and the fact that says so. */
export interface DisputeStep {
  readonly dispute: Dispute;
  readonly fact: Fact;
}

/** What the subject adds moves the furnisher's time, once. Refuses 409 `dispute.closed`, `dispute.extended`. The same again is no step. */
export function addInformation(
  dispute: Dispute,
  statementDigest: string,
  deadlines: Pick<DisputeDeadlines, 'dueAt' | 'dueSoonAt'>,
  at: Date,
): DisputeStep | undefined {
  if (dispute.added?.statementDigest === statementDigest) return undefined;
  if (dispute.state === 'CLOSED') throw closed(dispute);
  if (dispute.added) throw new Refusal('conflict', 'dispute.extended', 'information was added before: a dispute is extended once');
  const rung = dispute.rung.filter((clock) => clock !== 'DUE_SOON');
  const next = { ...dispute, ...deadlines, rung, added: { statementDigest, at } };
  return { dispute: next, fact: disputeFact('dispute.extended', next, { statement: statementDigest, due: next.dueAt.toISOString() }) };
}

/** What an answer leads to: nothing new, a wait for a record that is to come, or the end. */
export type Answered =
  | { readonly kind: 'repeated' }
  | ({ readonly kind: 'waits' } & DisputeStep)
  | { readonly kind: 'ends'; readonly outcome: 'VERIFIED' | 'WITHDRAWN'; readonly dispute: Dispute; readonly fact: Fact };

/**
 * The furnisher's one answer. `isNamedHere`: whether it had the record accepted that it names. Refuses 409 `dispute.closed`, `dispute.answered` for
 * another answer than the first, 422 `dispute.record_mismatch` where the record that it names is there and ends another one.
 */
export function answerDispute(dispute: Dispute, answer: DisputeAnswer, isNamedHere: boolean, at: Date): Answered {
  if (isRepeated(dispute, answer)) return { kind: 'repeated' };
  if (dispute.state === 'CLOSED') throw closed(dispute);
  if (dispute.state === 'ANSWERED') throw new Refusal('conflict', 'dispute.answered', 'you answered this dispute in another way');
  // A correction or withdrawal of the disputed record would have closed the dispute when it came.
  if (isNamedHere) {
    throw new Refusal('unprocessable', 'dispute.record_mismatch', 'the record you name neither corrects nor withdraws the disputed one', {
      field: '/record',
    });
  }
  const next: Dispute = { ...dispute, state: 'ANSWERED', answer, answeredAt: at };
  const step = { dispute: next, fact: disputeFact('dispute.answered', next, { answer: answer.answer, ...evidenceOf(answer) }) };
  if (answer.answer === 'VERIFIED') return { kind: 'ends', outcome: 'VERIFIED', ...step };
  if (answer.answer === 'WITHDRAWN' && answer.record === undefined) return { kind: 'ends', outcome: 'WITHDRAWN', ...step };
  return { kind: 'waits', ...step };
}

/** Ends a dispute. `resultBy`: until when every recipient is to have heard. */
export function closeDispute(dispute: Dispute, outcome: DisputeOutcome, resultBy: Date, at: Date): DisputeStep {
  if (dispute.state === 'CLOSED') throw closed(dispute);
  const next: Dispute = { ...dispute, state: 'CLOSED', outcome, closedAt: at, resultBy };
  return { dispute: next, fact: disputeFact('dispute.closed', next, { outcome }) };
}

/** The same where a record did it: a correction or withdrawal is an answer, too. */
export function closeByRecord(
  dispute: Dispute,
  { kind, jti }: { readonly kind: 'correction' | 'withdrawal'; readonly jti: string },
  resultBy: Date,
  at: Date,
): DisputeStep {
  const outcome = kind === 'correction' ? 'CORRECTED' : 'WITHDRAWN';
  const answered = { ...dispute, answer: { answer: outcome, record: jti } as const, answeredAt: dispute.answeredAt ?? at };
  return closeDispute(answered, outcome, resultBy, at);
}

/**
 * The clock that is due, marked as rung; undefined while none is. NOTICE and RESULT say something only where somebody who was told has not acknowledged (`isHeard`).
 * DUE ends the dispute: that is the flow's to do, with `closeDispute`.
 */
export function ringDispute(
  dispute: Dispute,
  isHeard: boolean,
  at: Date,
): { readonly clock: DisputeClock; readonly dispute: Dispute; readonly fact?: Fact } | undefined {
  const ring = nextRing(dispute);
  if (!ring || ring.at > at) return undefined;
  const { clock } = ring;
  const next = { ...dispute, rung: [...dispute.rung, clock] };
  const kind = RING_FACTS[clock];
  const isSilent = kind === undefined || (clock !== 'DUE_SOON' && isHeard);
  return { clock, dispute: next, ...(isSilent ? {} : { fact: disputeFact(kind, next, { by: ring.at.toISOString() }) }) };
}

const RING_FACTS: Readonly<Record<DisputeClock, string | undefined>> = {
  NOTICE: 'dispute.notice_overdue',
  DUE_SOON: 'dispute.reminded',
  DUE: undefined,
  RESULT: 'dispute.result_overdue',
};

function isRepeated({ answer: known, outcome }: Dispute, answer: DisputeAnswer): boolean {
  if (known === undefined || known.answer !== answer.answer || outcome === 'SILENT') return false;
  return known.answer === 'VERIFIED'
    ? known.evidenceDigest === (answer as typeof known).evidenceDigest
    : known.record === (answer as typeof known).record;
}

function evidenceOf(answer: DisputeAnswer): Fact['body'] {
  return answer.answer === 'VERIFIED' ? { evidence: answer.evidenceDigest } : {};
}

function closed({ outcome }: Dispute): Refusal {
  return new Refusal('conflict', 'dispute.closed', `this dispute is closed: ${outcome}`);
}

import type { DecisionAnswer } from '#contract';
import { Refusal } from '#kernel';
import { evaluate, type Policy } from '#policies';
import type { Dispute } from '#records';
import type { Standing } from '#standing';
import { composeAnswer, type DecisionDetails, detailsOf } from '../details.js';
import { type RecordedDecision, requestOf } from '../history/recorded.js';
import { tellDecision } from '../receipt.js';
import { judgeCounters } from '../replay.js';
import { correctStanding } from './correct-standing.js';
import type { PastOfSubject } from './past-of-subject.js';

/** A decision as it is listed: who asked for what, and by which standing it was answered. */
export interface AffectedDecision extends RecordedDecision {
  readonly caller: string;
  readonly service: string;
}

/** What matters of an answer, here. */
export type AnswerInShort = Pick<DecisionAnswer, 'outcome' | 'computedOutcome' | 'tier' | 'discount'> & { readonly score: number };

export interface Redecided {
  readonly decision: AffectedDecision;
  readonly was: AnswerInShort;
  /** Undefined: that policy would not have judged it. */
  readonly would: AnswerInShort | undefined;
  readonly isOther: boolean;
}

/**
 * Decides again, by the policy of then and over the counters that were found, with the standing that the dispute's end makes right. The counters are
 * those of the real past: that an earlier decision would have been another one is not followed up.
 */
export function redecideAffected(decision: AffectedDecision, past: PastOfSubject, dispute: Dispute, policy: Policy): Redecided {
  const was = inShort(decision, decision.details, decision.usage);
  const would = answerOn(decision, correctStanding(decision, past, dispute), policy);
  return { decision, was, would, isOther: JSON.stringify(essence(was)) !== JSON.stringify(would && essence(would)) };
}

function answerOn(decision: AffectedDecision, standing: Standing, policy: Policy): AnswerInShort | undefined {
  const request = requestOf(standing.subject, decision.details);
  try {
    const details = detailsOf(request, evaluate(standing, policy, request, decision.at), policy, standing);
    const { limits } = tellDecision(decision.details, { ...decision, decision: { shard: decision.shard, uuid: decision.decision } });
    return inShort(decision, details, judgeCounters(details, limits));
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function inShort({ shard, at }: AffectedDecision, details: DecisionDetails, usage: string): AnswerInShort {
  const { outcome, computedOutcome, tier, discount, score } = composeAnswer(details, { decision: undefined, at, usage }, shard);
  return { outcome, computedOutcome, tier, discount, score: score.value };
}

/** Another score alone is no other answer. */
function essence({ outcome, computedOutcome, discount }: AnswerInShort) {
  return { outcome, computedOutcome, discount };
}

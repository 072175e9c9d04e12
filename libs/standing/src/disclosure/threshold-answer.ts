import type { ConsentUse } from '#consents';
import type { ThresholdAnswer } from '#contract';
import { Refusal } from '#kernel';
import { answerOf, type ScoreForThreshold } from './rating.js';

export const answerReplayMs = 86_400_000;

/** The threshold that a participant was last told of for a subject. */
export interface GivenAnswer {
  readonly atLeast: number;
  readonly answer: ThresholdAnswer;
  /** Up to here the same answer is given, whatever becomes of the score. */
  readonly replayUntil: Date;
  /** Up to here its holder may keep an answer to it: no other threshold is answered, so that two can never be laid side by side. */
  readonly boundUntil: Date;
}

export interface ThresholdTold {
  readonly answer: ThresholdAnswer;
  /** What binds from now on. Undefined for NA: it tells nothing of a score, so it binds to nothing and is asked anew each time. */
  readonly binds?: GivenAnswer | undefined;
}

/**
 * Answers a threshold; `given` is what this participant was last told of this subject under whatever consent, for whatever purpose. Refuses 412
 * `consent.threshold` while an answer to another threshold may still be held, 24 h at least.
 */
export function giveAnswer(
  given: GivenAnswer | undefined,
  { atLeast }: { readonly atLeast: number },
  { at, dataLifeSeconds }: Pick<ConsentUse, 'at' | 'dataLifeSeconds'>,
  known: ScoreForThreshold,
): ThresholdTold {
  const isBound = given !== undefined && given.boundUntil > at;
  if (isBound && given.atLeast !== atLeast) {
    throw new Refusal('precondition', 'consent.threshold', 'you hold the answer to another threshold of this subject', {
      retryAfterSeconds: Math.ceil((given.boundUntil.getTime() - at.getTime()) / 1_000),
    });
  }
  const repeats = isBound && given.replayUntil > at;
  const answer = repeats ? given.answer : answerOf(known, { atLeast });
  if (answer === 'NA') return { answer };
  const replayUntil = repeats ? given.replayUntil : new Date(at.getTime() + answerReplayMs);
  // Told once more, it may be held from now on once more.
  const heldMs = Math.max(dataLifeSeconds * 1_000, answerReplayMs);
  const boundUntil = new Date(Math.max(isBound ? given.boundUntil.getTime() : 0, at.getTime() + heldMs));
  return { answer, binds: { atLeast, answer, replayUntil, boundUntil } };
}

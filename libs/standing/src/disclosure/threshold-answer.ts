import type { ConsentUse } from '#consents';
import type { ThresholdAnswer } from '#contract';
import { Refusal } from '#kernel';
import { answerOf, type KnownRating } from './rating.js';

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

/**
 * Answers a threshold; `given` is what this participant was last told of this subject under whatever consent, for whatever purpose. Refuses 412
 * `consent.threshold` while an answer to another threshold may still be held, 24 h at least.
 */
export function giveAnswer(
  given: GivenAnswer | undefined,
  threshold: { readonly atLeast: number },
  use: ConsentUse,
  known: KnownRating,
): GivenAnswer {
  const { at, dataLifeSeconds } = use;
  const isBound = given !== undefined && given.boundUntil > at;
  if (isBound && given.atLeast !== threshold.atLeast) {
    throw new Refusal('precondition', 'consent.threshold', 'you hold the answer to another threshold of this subject', {
      retryAfterSeconds: Math.ceil((given.boundUntil.getTime() - at.getTime()) / 1_000),
    });
  }
  const repeats = isBound && given.replayUntil > at;
  const replayUntil = repeats ? given.replayUntil : new Date(at.getTime() + answerReplayMs);
  const keepUntil = at.getTime() + dataLifeSeconds * 1_000;
  // Told again, it is held anew: 24 h from now at least, too.
  const boundUntil = new Date(Math.max(isBound ? given.boundUntil.getTime() : 0, at.getTime() + answerReplayMs, keepUntil));
  return { atLeast: threshold.atLeast, answer: repeats ? given.answer : answerOf(known, threshold), replayUntil, boundUntil };
}

import type { ConsentScope } from '#consents';
import type { RatingClaim, ThresholdAnswer, WireRatingClaims, WireRatingRestriction } from '#contract';
import { DISPUTED_CLAIM } from '#contract';
import { invariant } from '#kernel';
import { BANDS } from '#scoring';
import { dayOf } from '../event.js';
import type { ImposedRestriction } from '../imposed.js';
import type { Factor } from '../standing.js';
import { toldReason } from '../tell.js';

/** What is known of a subject when its rating is read. */
export interface KnownRating {
  readonly version: bigint;
  readonly score: number;
  readonly factors: readonly Factor[];
  /** Not lifted yet. */
  readonly restrictions: readonly ImposedRestriction[];
  /** A record that counts is disputed. */
  readonly disputed: boolean;
}

/** By what a threshold is answered. */
export interface ScoreForThreshold {
  readonly score: number;
  /** Any bank reports anything about the subject that is in force. */
  readonly reported: boolean;
}

/** What one read told: claims with their values, or an answer. */
export type DisclosedContent = { readonly claims: WireRatingClaims } | { readonly atLeast: number; readonly answer: ThresholdAnswer };

/** A restriction's name for this reader. */
export type NameRestriction = (restriction: ImposedRestriction) => string;

/** Exactly what the scope allows, at this moment, and whether it is disputed. */
export function claimsOf(known: KnownRating, claims: readonly RatingClaim[], at: Date, nameOf: NameRestriction): WireRatingClaims {
  const all: Required<Omit<WireRatingClaims, typeof DISPUTED_CLAIM>> = {
    score: known.score,
    band: bandOf(known.score),
    factors: known.factors.map(({ code, text }) => ({ code, text })),
    restrictions: known.restrictions.filter((one) => isInForce(one, at)).map((one) => shownRestriction(one, nameOf)),
    asOf: at.toISOString(),
  };
  return { ...Object.fromEntries(claims.map((claim) => [claim, all[claim]])), [DISPUTED_CLAIM]: known.disputed };
}

export function answerOf({ reported, score }: ScoreForThreshold, { atLeast }: { readonly atLeast: number }): ThresholdAnswer {
  if (!reported) return 'NA';
  return score >= atLeast ? 'Y' : 'N';
}

export function isThreshold(scope: ConsentScope): scope is Extract<ConsentScope, { threshold: object }> {
  return 'threshold' in scope;
}

function bandOf(score: number): string {
  const band = BANDS.findLast(({ minimumScore }) => minimumScore <= score);
  invariant(band, 'the lowest band begins at the lowest score');
  return band.name;
}

function isInForce({ startsAt, endsAt }: ImposedRestriction, at: Date): boolean {
  return startsAt <= at && (!endsAt || endsAt > at);
}

function shownRestriction(one: ImposedRestriction, nameOf: NameRestriction): WireRatingRestriction {
  const { step, services, startsAt, endsAt } = one;
  const days = { since: dayOf(startsAt), ...(endsAt ? { until: dayOf(endsAt) } : {}) };
  return { restriction: nameOf(one), step, services, reason: toldReason(one), ...days };
}

import type { Link } from '#consents';
import type { RecordInForce } from '#records';
import { deriveIndicators, score, type Scorecard } from '#scoring';
import { climb, type ImposedRestriction } from './ladder.js';
import type { Standing } from './standing.js';

/** A standing with what only this room needs: where its restrictions come from, and when time alone will change it. */
export interface KnownStanding extends Standing {
  readonly restrictions: readonly ImposedRestriction[];
  readonly nextChangeAt?: Date | undefined;
}

export interface StandingChange {
  readonly next: KnownStanding;
  readonly imposed: readonly ImposedRestriction[];
  readonly lifted: readonly ImposedRestriction[];
  readonly scoreChanged: boolean;
  /** Whether the version grew: score, factors or restrictions are others. */
  readonly changed: boolean;
}

/** What may be known when a standing is judged anew. */
export interface Grounds {
  readonly records: readonly RecordInForce[];
  readonly links: readonly Link[];
}

/** Judges a standing anew from everything in force: score, reasons, restrictions, and the next moment to look again. */
export function rescore(
  known: KnownStanding,
  { records, links }: Grounds,
  scorecard: Scorecard,
  at: Date,
  newId: () => string,
): StandingChange {
  const valid = records.filter(({ validUntil }) => validUntil > at);
  const { value, factors } = score(deriveIndicators(valid, links, at), known.kind, scorecard);
  const { kept, imposed, lifted } = climb(known.restrictions, valid, at, newId);
  const restrictions = [...kept, ...imposed];
  const scoreChanged = value !== known.score.value;
  const explained = factors.map(({ code }) => code).join() !== known.factors.map(({ code }) => code).join();
  const changed = scoreChanged || explained || scorecard.version !== known.score.version || imposed.length + lifted.length > 0;
  const next = {
    ...known,
    version: changed ? known.version + 1n : known.version,
    score: { value, version: scorecard.version },
    factors,
    restrictions,
    nextChangeAt: earliest([...valid.map(({ validUntil }) => validUntil), ...restrictions.flatMap(({ endsAt }) => endsAt ?? [])]),
  };
  return { next, imposed, lifted, scoreChanged, changed };
}

/** The standing of a subject of whom nothing is known yet: version 1. */
export function firstStanding(subject: Standing['subject'], kind: Standing['kind'], scorecard: Scorecard, at: Date): KnownStanding {
  const { value, factors } = score(deriveIndicators([], [], at), kind, scorecard);
  return { subject, kind, version: 1n, score: { value, version: scorecard.version }, factors, restrictions: [] };
}

function earliest(times: readonly Date[]): Date | undefined {
  return times.length === 0 ? undefined : new Date(Math.min(...times.map((time) => time.getTime())));
}

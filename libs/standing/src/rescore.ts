import type { Link } from '#consents';
import type { RecordInForce } from '#records';
import { deriveIndicators, score, type Scorecard } from '#scoring';
import { climb, NO_ORDERS, type Orders } from './climb.js';
import {
  type DisputedRecord,
  disputedScore,
  findDisputed,
  isSameDisputes,
  judgedBefore,
  overturnedAside,
  withoutSuspended,
} from './dispute/disputed-record.js';
import type { ImposedRestriction, JudgedViolation, LiftedRestriction, LiftedWhy } from './imposed.js';
import type { Ladder } from './ladder.js';
import type { Standing } from './standing.js';

/** A standing with what only this room needs: where its restrictions come from, and when time alone will change it. */
export interface KnownStanding extends Standing {
  readonly restrictions: readonly ImposedRestriction[];
  readonly judged: readonly JudgedViolation[];
  /** Records in force that are disputed. */
  readonly disputes: readonly DisputedRecord[];
  readonly updatedAt: Date;
  readonly nextChangeAt?: Date | undefined;
}

export interface StandingChange {
  readonly next: KnownStanding;
  readonly imposed: readonly ImposedRestriction[];
  readonly lifted: readonly LiftedRestriction[];
  readonly scoreChanged: boolean;
  readonly disputesChanged: boolean;
  /** Whether the version grew: score, factors, restrictions or what is disputed of its records are others. */
  readonly changed: boolean;
}

/** What may be known when a standing is judged anew. */
export interface Grounds {
  readonly records: readonly RecordInForce[];
  readonly links: readonly Link[];
  readonly orders?: Orders;
  /** The disputes that count now. Absent: those that the subject was loaded with. */
  readonly disputes?: readonly DisputedRecord[] | undefined;
}

/** By what a standing is judged. */
export interface Measure {
  readonly scorecard: Scorecard;
  readonly ladder: Ladder;
  readonly at: Date;
  /** Why a restriction is lifted whose violation is no longer in force. */
  readonly why: LiftedWhy;
  readonly newId: () => string;
}

/**
 * Judges a standing anew from everything in force: score, reasons, restrictions, and the next moment to look again. Its time never runs
 * backwards: a clock that was set back must not bring a served term back.
 */
export function rescore(known: KnownStanding, grounds: Grounds, measure: Measure): StandingChange {
  const { records, links, orders = NO_ORDERS } = grounds;
  const { scorecard } = measure;
  const at = measure.at > known.updatedAt ? measure.at : known.updatedAt;
  const valid = records.filter(({ validUntil }) => validUntil > at);
  const disputes = (grounds.disputes ?? known.disputes).filter((one) => valid.some((record) => findDisputed([one], record)));
  const { value, factors } = disputedScore({ records: valid, links, kind: known.kind, scorecard, at }, disputes);
  const state = { ...known, judged: judgedBefore(known.judged, valid, known.disputes, disputes) };
  const { kept, imposed, lifted, judged } = climb(state, withoutSuspended(valid, disputes), orders, { ...measure, at });
  const restrictions = [...kept, ...imposed];
  const scoreChanged = value !== known.score.value;
  const explained = factors.map(({ code }) => code).join() !== known.factors.map(({ code }) => code).join();
  const disputesChanged = !isSameDisputes(disputes, known.disputes);
  const changed =
    scoreChanged || explained || disputesChanged || scorecard.version !== known.score.version || imposed.length + lifted.length > 0;
  const next = {
    ...known,
    version: changed ? known.version + 1n : known.version,
    score: { value, version: scorecard.version, ...(disputes.length > 0 ? { disputed: true as const } : {}) },
    factors,
    restrictions,
    judged: [...judged, ...overturnedAside(known.judged, disputes)],
    disputes,
    updatedAt: at,
    nextChangeAt: earliest([...valid.map(({ validUntil }) => validUntil), ...restrictions.flatMap(({ endsAt }) => endsAt ?? [])]),
  };
  return { next, imposed, lifted, scoreChanged, disputesChanged, changed };
}

/** The standing of a subject of whom nothing is known yet: version 1. */
export function firstStanding(subject: Standing['subject'], kind: Standing['kind'], scorecard: Scorecard, at: Date): KnownStanding {
  const { value, factors } = score(deriveIndicators([], [], at), kind, scorecard);
  const judgement = { score: { value, version: scorecard.version }, factors, restrictions: [], judged: [], disputes: [], updatedAt: at };
  return { subject, kind, version: 1n, ...judgement };
}

function earliest(times: readonly Date[]): Date | undefined {
  return times.length === 0 ? undefined : new Date(Math.min(...times.map((time) => time.getTime())));
}

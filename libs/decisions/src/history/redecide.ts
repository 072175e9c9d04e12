import type { Outcome } from '#contract';
import { Refusal } from '#kernel';
import { type Evaluation, evaluate, type Policy } from '#policies';
import { type CounterState, isAnyBroken, readUsage } from '../decision.js';
import { type RecordedDecision, type RecordedSettlement, requestOf, standingOf } from './recorded.js';
import { FOREVER_MS, type Place, placeOf, SimulatedCounters } from './simulated-counters.js';

/**
 * What became of an amount that the other policy would have held and that was really denied: nobody knows, so it is assumed.
 * CONFIRMED: in full, at once. EXPIRED: held as long as was asked, then free again.
 */
export const ASSUMPTIONS = ['CONFIRMED', 'EXPIRED'] as const;
export type Assumption = (typeof ASSUMPTIONS)[number];

/**
 * How counters stand when re-deciding begins. CONTINUE: as they really stood, as activating the policy at that moment would have found them
 * (a limit keeps its counter by its name; a new one begins empty). COUNTED: as if this policy had always counted what was really spent.
 */
export const BEGINNINGS = ['CONTINUE', 'COUNTED'] as const;
export type Beginning = (typeof BEGINNINGS)[number];

export interface ReplayRules {
  /** The policy to decide with; asked for each decision, so that every decision can have its own again. */
  policyFor(recorded: RecordedDecision): Policy;
  readonly assume: Assumption;
  readonly begin: Beginning;
}

/** REFUSED: the policy would not even have judged it (an unknown service, another currency). */
export type WouldBe = Outcome | 'REFUSED';

/** A reason as it is counted: its code and the rule it came from. */
export type ReasonName = string;

/** One side of a comparison: the answer that was given, or the one that would have been. */
export interface Telling {
  readonly outcome: WouldBe;
  readonly computed: WouldBe;
  readonly reasons: readonly ReasonName[];
  /** Ids of limits that had no room. */
  readonly bound: readonly string[];
  readonly discountMinor: bigint;
  readonly counters: readonly CounterState[];
}

export interface Redecision {
  readonly recorded: RecordedDecision;
  readonly minor: bigint;
  readonly was: Telling;
  readonly would: Telling;
  /** It would have been held and really was not: from here on the assumption speaks. */
  readonly assumed: boolean;
}

/** Takes one subject's history again, in the order of its numbers. */
export class SubjectReplay {
  constructor(
    private readonly rules: ReplayRules,
    readonly counters = new SimulatedCounters(),
  ) {}

  /** What was decided before the time asked about: it counts as it really was. */
  follow(recorded: RecordedDecision): void {
    this.counters.freeExpired(recorded.at.getTime());
    if (recorded.expiresAt === undefined) return;
    const { decision, details, expiresAt } = recorded;
    const places = this.rules.begin === 'CONTINUE' ? recordedPlaces(recorded) : this.countedPlaces(recorded);
    this.counters.take({ decision, minor: BigInt(details.amount), expiresAtMs: expiresAt.getTime(), places });
  }

  settle(settlement: RecordedSettlement): void {
    this.counters.settle(settlement);
  }

  decide(recorded: RecordedDecision): Redecision {
    const minor = BigInt(recorded.details.amount);
    this.counters.freeExpired(recorded.at.getTime());
    const evaluation = judge(this.rules.policyFor(recorded), recorded);
    const was = toldThen(recorded);
    if (evaluation instanceof Refusal) return { recorded, minor, was, would: refusedBy(evaluation), assumed: false };
    const found = this.counters.look(evaluation.caps, minor);
    const isBroken = found.some(({ broken }) => broken);
    const outcome = isBroken && evaluation.enforced ? 'DENY' : evaluation.outcome;
    const takes = recorded.details.mode === 'RESERVE' && outcome !== 'DENY';
    if (takes) this.take(recorded, minor, evaluation);
    const would = toldNow(evaluation, found, outcome, takes ? minor : undefined);
    return { recorded, minor, was, would, assumed: takes && recorded.expiresAt === undefined };
  }

  private take({ decision, at, details, expiresAt }: RecordedDecision, minor: bigint, { caps }: Evaluation): void {
    const expiresAtMs = expiresAt?.getTime() ?? at.getTime() + (details.holdSeconds ?? 0) * 1000;
    this.counters.take({ decision, minor, expiresAtMs, places: caps.map(placeOf) });
    if (expiresAt === undefined && this.rules.assume === 'CONFIRMED') this.counters.settle({ decision, kind: 'confirm', minor });
  }

  private countedPlaces(recorded: RecordedDecision): Place[] {
    const evaluation = judge(this.rules.policyFor(recorded), recorded);
    return evaluation instanceof Refusal ? [] : evaluation.caps.map(placeOf);
  }
}

/** The evaluation this policy makes of a recorded request and standing; the refusal where it makes none. Pure, counters aside. */
function judge(policy: Policy, { shard, subject, standingVersion, details, at }: RecordedDecision): Evaluation | Refusal {
  const of = { shard, uuid: subject };
  try {
    return evaluate(standingOf(of, standingVersion, details), policy, requestOf(of, details), at);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** A longer rolling window of the same name would still count what a shorter one has let go. */
const ROLLING_KEPT_MS = 400 * 86_400_000;

function recordedPlaces({ details: { caps } }: RecordedDecision): Place[] {
  return caps.map(({ counter, start, resetAt, window }) => {
    const liveUntilMs = resetAt === undefined ? FOREVER_MS : Date.parse(resetAt) + (window === 'ROLLING' ? ROLLING_KEPT_MS : 0);
    return { counter, startMs: Date.parse(start), liveUntilMs };
  });
}

function toldThen({ details, outcome, computed, usage }: RecordedDecision): Telling {
  const counters = readUsage(usage);
  const bound = isAnyBroken(usage) ? details.caps.filter((_, i) => counters[i]!.broken).map(({ limit }) => limit) : [];
  const discountMinor = computed === 'DENY' || details.discount === undefined ? 0n : BigInt(details.discount.minor);
  return { outcome, computed, reasons: reasonsOf(details.reasons, bound), bound, discountMinor, counters };
}

function toldNow(evaluation: Evaluation, found: readonly CounterState[], outcome: Outcome, takenMinor: bigint | undefined): Telling {
  const bound = evaluation.caps.filter((_, i) => found[i]!.broken).map(({ limit }) => limit);
  const computed = bound.length > 0 ? 'DENY' : evaluation.computedOutcome;
  const counters =
    takenMinor === undefined
      ? found
      : found.map((state) => ({ ...state, reservedMinor: state.reservedMinor + takenMinor, taken: state.taken + 1 }));
  const discountMinor = computed === 'DENY' ? 0n : (evaluation.discount?.minor ?? 0n);
  return { outcome, computed, reasons: reasonsOf(evaluation.reasons, bound), bound, discountMinor, counters };
}

function refusedBy({ code }: Refusal): Telling {
  return { outcome: 'REFUSED', computed: 'REFUSED', reasons: [code], bound: [], discountMinor: 0n, counters: [] };
}

function reasonsOf(reasons: readonly { readonly code: string; readonly source: string }[], bound: readonly string[]): ReasonName[] {
  return [...bound.map((limit) => `limit.exceeded (limit ${limit})`), ...reasons.map(reasonName)];
}

/** Restrictions have ids of their own and are counted together. */
function reasonName({ code, source }: { readonly code: string; readonly source: string }): ReasonName {
  return source.startsWith('restriction ') ? code : `${code} (${source})`;
}

import type { Violation } from '#contract';
import type { RecordInForce } from '#records';
import {
  type Chain,
  type ImposedRestriction,
  isSameChain,
  type JudgedViolation,
  type LiftedRestriction,
  type LiftedWhy,
} from './imposed.js';
import type { Ladder, Rung, Sanction } from './ladder.js';

const DAY_MS = 86_400_000;

/** What people decided: restrictions to impose, ids of standing ones to lift, and violations that an appeal overturned. */
export interface Orders {
  readonly impose: readonly ImposedRestriction[];
  readonly lift: readonly { readonly id: string; readonly why: LiftedWhy }[];
  readonly overturned: readonly Chain[];
}

export const NO_ORDERS: Orders = { impose: [], lift: [], overturned: [] };

export interface LadderState {
  readonly restrictions: readonly ImposedRestriction[];
  readonly judged: readonly JudgedViolation[];
}

export interface LadderChange {
  readonly kept: readonly ImposedRestriction[];
  readonly imposed: readonly ImposedRestriction[];
  readonly lifted: readonly LiftedRestriction[];
  readonly judged: readonly JudgedViolation[];
}

/** When and by which rule a change is judged. */
export interface Bench {
  readonly ladder: Ladder;
  readonly at: Date;
  /** Why a restriction is lifted whose violation is no longer in force. */
  readonly why: LiftedWhy;
  readonly newId: () => string;
}

type ViolationInForce = RecordInForce & { readonly body: { readonly kind: 'violation' } };

/**
 * Holds the restrictions that stand against the violations in force and against what people decided. A violation is judged once, by the
 * ladder of that moment, and anew only where it was corrected or where one it climbed for fell away; a restriction ends with its term,
 * with its violation, or by order.
 */
export function climb(state: LadderState, records: readonly RecordInForce[], orders: Orders, bench: Bench): LadderChange {
  const isOverturned = (one: Chain) => orders.overturned.some((chain) => isSameChain(chain, one));
  const known = state.judged.map((one) => (isOverturned(one) ? { ...one, overturned: true as const } : one));
  const violations = records.filter((record): record is ViolationInForce => record.body.kind === 'violation');
  const judgements = violations.map((violation) => judgeViolation(violation, violations, known, bench));
  const lifted: LiftedRestriction[] = [];
  const kept: ImposedRestriction[] = [];
  for (const restriction of state.restrictions) {
    const why = whyLifted(restriction, judgements, orders, bench);
    if (why) lifted.push({ restriction, why });
    else kept.push(restriction);
  }
  const missing = judgements.flatMap(({ wanted }) => wanted.filter((want) => !kept.some((one) => isSameSanction(want, one))));
  const imposed = missing.map((want) => ({ ...want, id: bench.newId() }));
  return { kept, imposed: [...imposed, ...orders.impose], lifted, judged: judgements.map(({ judged }) => judged) };
}

interface ViolationJudgement {
  readonly judged: JudgedViolation;
  /** Whether it was judged now; what an earlier judgement imposed and this one does not want is lifted. */
  readonly anew: boolean;
  readonly wanted: readonly ImposedRestriction[];
}

function judgeViolation(
  violation: ViolationInForce,
  all: readonly ViolationInForce[],
  known: readonly JudgedViolation[],
  bench: Bench,
): ViolationJudgement {
  const before = known.find((one) => isSameChain(one, violation));
  if (before && (before.overturned || (before.jti === violation.jti && stillCounts(before, all, bench.at)))) {
    return { judged: before, anew: false, wanted: [] };
  }
  const counted = all.filter((other) => countsAgainst(other, violation, known, bench.ladder));
  const rung = rungFor(violation.body.violation, counted.length, bench.ladder);
  const { iss, rootJti, jti } = violation;
  const judged = { iss, rootJti, jti, counted: counted.map(asCounted) };
  return { judged, anew: true, wanted: rung.sanctions.flatMap((sanction) => impositionOf(sanction, rung, violation, bench)) };
}

function stillCounts({ counted }: JudgedViolation, all: readonly ViolationInForce[], at: Date): boolean {
  return counted.every((one) => new Date(one.validUntil) <= at || all.some((other) => isSameChain(other, one)));
}

function asCounted({ iss, rootJti, validUntil }: RecordInForce): JudgedViolation['counted'][number] {
  return { iss, rootJti, validUntil: validUntil.toISOString() };
}

/** The same code, earlier, within the ladder's days; two reports of one moment are one violation, and an overturned one is none. */
function countsAgainst(other: ViolationInForce, violation: ViolationInForce, known: readonly JudgedViolation[], ladder: Ladder): boolean {
  if (!ladder.escalation || other.body.violation.code !== violation.body.violation.code) return false;
  if (known.some((one) => one.overturned && isSameChain(one, other))) return false;
  const apartMs = Date.parse(violation.body.violation.occurredAt) - Date.parse(other.body.violation.occurredAt);
  return apartMs > 0 && apartMs <= ladder.escalation.withinDays * DAY_MS;
}

function rungFor({ severity }: Violation, climbs: number, { rungs, start }: Ladder): Rung {
  const first = Math.max(
    0,
    rungs.findIndex(({ id }) => id === start[severity]),
  );
  return rungs[Math.min(first + climbs, rungs.length - 1)]!;
}

function impositionOf(sanction: Sanction, { id: rung }: Rung, violation: ViolationInForce, { ladder, at }: Bench): ImposedRestriction[] {
  const { days, ...terms } = sanction;
  const { iss, rootJti, jti, validUntil, body } = violation;
  const { code, severity, occurredAt, evidenceDigest } = body.violation;
  const served = days === undefined ? validUntil.getTime() : Date.parse(occurredAt) + days * DAY_MS;
  const endsAt = new Date(Math.min(validUntil.getTime(), served));
  if (endsAt <= at) return [];
  return [
    {
      ...terms,
      id: '',
      cause: { iss, rootJti },
      reason: { code, text: `a partner bank reported a ${severity.toLowerCase()} violation (${code})` },
      evidence: { digest: evidenceDigest, reference: `record ${jti}` },
      ladder: ladder.name,
      rung,
      startsAt: at,
      endsAt,
      cure: CLEARANCE,
      appealUntil: new Date(at.getTime() + ladder.appeal.openDays * DAY_MS),
      told: [],
    },
  ];
}

const CLEARANCE = { code: 'CLEARANCE', text: 'the bank that reported the violation reports its clearance' };

function whyLifted(
  restriction: ImposedRestriction,
  judgements: readonly ViolationJudgement[],
  orders: Orders,
  { at, why }: Bench,
): LiftedWhy | undefined {
  const { id, cause, endsAt } = restriction;
  if (endsAt && endsAt <= at) return 'ENDED';
  const ordered = orders.lift.find((order) => order.id === id);
  if (ordered) return ordered.why;
  if (!cause) return undefined;
  if (orders.overturned.some((chain) => isSameChain(cause, chain))) return 'OVERTURNED';
  const judgement = judgements.find(({ judged }) => isSameChain(cause, judged));
  if (!judgement) return why;
  const stands = !judgement.anew || judgement.wanted.some((want) => isSameSanction(want, restriction));
  return stands ? undefined : 'CORRECTED';
}

function isSameSanction(want: ImposedRestriction, restriction: ImposedRestriction): boolean {
  return (
    isSameChain(restriction.cause, want.cause!) &&
    want.step === restriction.step &&
    want.services.join() === restriction.services.join() &&
    want.limitPercent === restriction.limitPercent &&
    want.limitMinor === restriction.limitMinor &&
    want.currency === restriction.currency &&
    want.endsAt?.getTime() === restriction.endsAt?.getTime()
  );
}

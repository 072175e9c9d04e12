import { formatMinor, parseMoney, Refusal, type ShardedId } from '#kernel';
import type { SimulatedCap, SimulationAnswer, WireSupposition } from '#contract';
import { type Cap, evaluate, type Evaluation, type Policy } from '#policies';
import type { Standing } from '#standing';
import type { CounterState, DecisionRequest } from './decision.js';
import { composeAnswer, detailsOf, holds } from './details.js';

/** What a simulation is judged by: how things are, with what is supposed put in its place. */
export interface Scene {
  readonly policy: Policy;
  readonly standing: Standing;
  readonly at: Date;
}

/** How a subject stands in a world where only this is supposed. Refuses 400 `simulation.contradiction`, 422 `tier.unknown`. */
export function supposeStanding(known: Standing | undefined, policy: Policy, suppose: WireSupposition): Standing {
  const value = supposedScore(policy, suppose);
  if (known === undefined && value === undefined)
    throw new Refusal('malformed', 'simulation.nobody', 'name a subject, or suppose a score or a tier', { field: '/subject' });
  const standing = known ?? NOBODY;
  return {
    ...standing,
    score: value === undefined ? standing.score : { value, version: 'supposed' },
    restrictions: suppose.withoutRestrictions ? [] : standing.restrictions,
  };
}

function supposedScore(policy: Policy, { score, tier }: WireSupposition): number | undefined {
  if (tier === undefined) return score;
  if (score !== undefined)
    throw new Refusal('malformed', 'simulation.contradiction', 'a score has its tier: suppose one of them', { field: '/suppose/tier' });
  const found = policy.tiers.find(({ name }) => name === tier);
  if (!found) throw new Refusal('unprocessable', 'tier.unknown', 'the policy names no such tier', { field: '/suppose/tier' });
  return found.minimumScore;
}

/** Somebody of whom nothing is known. */
export const NO_SUBJECT: ShardedId = { shard: 0, uuid: '00000000-0000-0000-0000-000000000000' };

const NOBODY: Standing = {
  subject: NO_SUBJECT,
  kind: 'INDIVIDUAL',
  version: 0n,
  score: { value: 350, version: 'supposed' },
  factors: [],
  restrictions: [],
};

/**
 * Decides as a RESERVE would be decided in this scene, by the same `evaluate` and the same telling. Refuses what `evaluate` refuses, and 422
 * `limit.unknown` for usage of a limit that does not concern the request.
 */
export function simulate(
  scene: Scene,
  request: DecisionRequest,
  suppose: WireSupposition,
  look: (caps: readonly Cap[]) => readonly CounterState[],
): SimulationAnswer {
  const { policy, standing, at } = scene;
  const evaluation = evaluate(standing, policy, request, at);
  const counters = supposeUsage(evaluation, look(evaluation.caps), suppose, request);
  const usage = counters
    .map(({ usedMinor, reservedMinor, taken, broken }) => [usedMinor, reservedMinor, taken, Number(broken)].join(':'))
    .join(',');
  const details = detailsOf(request, evaluation, policy, standing);
  const answer = composeAnswer(details, { decision: undefined, at, usage }, request.subject.shard);
  const until = new Date(at.getTime() + request.holdSeconds * 1000).toISOString();
  return {
    answer,
    wouldReserveUntil: holds(details, answer.outcome) ? until : undefined,
    caps: evaluation.caps.map((cap, i) => capAnswer(cap, counters[i]!, policy.currency)),
  };
}

function supposeUsage(
  { caps }: Evaluation,
  found: readonly CounterState[],
  { usage = [] }: WireSupposition,
  { money: { minor, currency } }: DecisionRequest,
): readonly CounterState[] {
  const minorOf = (amount: string | undefined, field: string) =>
    amount === undefined ? undefined : parseMoney({ amount, currency }, field).minor;
  const supposed = new Map(usage.map((row, i) => [row.limit, { ...row, field: `/suppose/usage/${i}` }]));
  const stray = [...supposed.values()].find(({ limit }) => !caps.some((cap) => cap.limit === limit));
  if (stray)
    throw new Refusal('unprocessable', 'limit.unknown', 'this limit does not concern the request', { field: `${stray.field}/limit` });
  return caps.map((cap, i) => {
    const known = found[i]!;
    const row = supposed.get(cap.limit);
    if (!row) return known;
    const usedMinor = minorOf(row.used, `${row.field}/used`) ?? known.usedMinor;
    const reservedMinor = minorOf(row.reserved, `${row.field}/reserved`) ?? known.reservedMinor;
    const taken = row.taken ?? known.taken;
    return { usedMinor, reservedMinor, taken, broken: isBroken(cap, usedMinor + reservedMinor + minor, taken + 1) };
  });
}

function isBroken({ amountMinor, count }: Cap, minor: bigint, taken: number): boolean {
  return (amountMinor !== undefined && minor > amountMinor) || (count !== undefined && taken > count);
}

function capAnswer(cap: Cap, { usedMinor, reservedMinor, taken, broken }: CounterState, currency: string): SimulatedCap {
  const { limit, window, measure, counter, from, end, amountMinor, count } = cap;
  return {
    ...{ limit, window, measure, counter, from: from.toISOString(), end: end.toISOString() },
    amount: amountMinor === undefined ? undefined : formatMinor(amountMinor, currency),
    count,
    ...{ used: formatMinor(usedMinor, currency), reserved: formatMinor(reservedMinor, currency), taken, exceeded: broken },
  };
}

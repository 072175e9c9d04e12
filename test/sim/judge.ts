import { parseId, parseMoney } from '#kernel';
import type { SqlRunner } from '#platform';
import type { Change } from './changes.js';
import { CURRENCY } from './doors.js';
import { type DecisionEvent, type History, readHistory } from './history.js';
import { Model } from './model.js';
import type { Journal } from './traffic.js';

export interface Verdict {
  readonly breaches: readonly string[];
  readonly decisions: number;
  readonly denied: number;
  readonly settlements: number;
  readonly expired: number;
}

/** Holds the database to the model and to everything that was acknowledged. Nobody may work on the ledger meanwhile. */
export async function judge(sql: SqlRunner, journal: Journal, timeZone = 'Asia/Shanghai'): Promise<Verdict> {
  const history = await readHistory(sql, timeZone);
  const model = Model.judge(history, stopsOf(journal));
  const decisions = history.events.filter(({ type }) => type === 'decision');
  return {
    breaches: [
      ...numberBreaches(history),
      ...history.unmatched,
      ...model.breaches,
      ...promiseBreaches(history, model, journal),
      ...overtaken(history, journal),
    ],
    decisions: decisions.length,
    denied: decisions.filter((event) => event.type === 'decision' && event.outcome === 'DENY').length,
    settlements: history.events.length - decisions.length,
    expired: [...model.holds.values()].filter(({ state }) => state === 'EXPIRED').length,
  };
}

/** Facts and decisions of a shard share one numbering from 1 to its head, each number once, and its time never runs backwards. */
function numberBreaches({ heads, numbers }: History): string[] {
  const breaches: string[] = [];
  for (const { shard, lastSeq } of heads) {
    const ofShard = numbers.filter((number) => number.shard === shard);
    if (BigInt(ofShard.length) !== lastSeq || ofShard.some(({ seq }, i) => seq !== BigInt(i + 1)))
      breaches.push(`the numbers of shard ${shard} have a gap, or one of them twice`);
    if (ofShard.some(({ at }, i) => i > 0 && at < ofShard[i - 1]!.at)) breaches.push(`the time of shard ${shard} ran backwards`);
  }
  return breaches;
}

function promiseBreaches(history: History, model: Model, { decisions, steps }: Journal): string[] {
  const breaches: string[] = [];
  const byKey = new Map<string, Set<string>>();
  for (const event of history.events) if (event.type === 'decision') remember(byKey, `${event.subject} ${event.key}`, event.decision);
  for (const { key, ask, answer } of decisions) {
    const kept = byKey.get(`${parseId('sub', ask.subject).uuid} ${key}`) ?? new Set();
    const told = parseId('dec', answer.decisionId!).uuid;
    if (!kept.has(told)) breaches.push(`decision ${told} was acknowledged and is gone`);
    if (kept.size > 1) breaches.push(`one key, ${kept.size} decisions: ${key}`);
    const hold = model.holds.get(told);
    if (answer.reservation && hold?.minor !== minorOf(ask.amount)) breaches.push(`reservation ${told} was acknowledged and is gone`);
    if (!answer.reservation && hold) breaches.push(`decision ${told} holds what its caller was denied`);
  }
  const refunds = countRefunds(history);
  return [...breaches, ...steps.flatMap((step) => stepBreaches(refunds, model, step))];
}

function stopsOf({ changes }: Journal): ReadonlySet<string> {
  return new Set(
    changes.flatMap((change) => (change.kind === 'standing' && change.stopped ? [`${change.subject} ${change.version}`] : [])),
  );
}

/** Versions only grow along the numbers, and nothing asked for after a change was acknowledged is decided on what was before it. */
function overtaken(history: History, { decisions, changes }: Journal): string[] {
  const breaches: string[] = [];
  const made = new Map<string, DecisionEvent>();
  const last = new Map<string, bigint>();
  const grows = (name: string, version: bigint) => {
    if (version < (last.get(name) ?? 0n)) breaches.push(`${name} went back to version ${version}`);
    last.set(name, version);
  };
  for (const event of history.events) {
    if (event.type !== 'decision') continue;
    made.set(event.decision, event);
    grows(`the policy on shard ${event.shard}`, event.policyVersion);
    grows(`the standing of ${event.subject}`, event.standingVersion);
  }
  const policies = changes.filter(({ kind }) => kind === 'policy');
  const standings = new Map<string, Change[]>();
  for (const change of changes)
    if (change.kind === 'standing') standings.set(change.subject, [...(standings.get(change.subject) ?? []), change]);
  for (const { answer, askedMs } of decisions) {
    const event = made.get(parseId('dec', answer.decisionId!).uuid);
    if (!event) continue;
    const acknowledged = (all: readonly Change[] = []) => all.findLast(({ acknowledgedMs }) => acknowledgedMs < askedMs)?.version ?? 0n;
    const name = `decision ${event.decision} was made on`;
    const policy = acknowledged(policies);
    if (event.policyVersion < policy) breaches.push(`${name} policy ${event.policyVersion} after ${policy} was acknowledged`);
    const standing = acknowledged(standings.get(event.subject));
    if (event.standingVersion < standing) breaches.push(`${name} standing ${event.standingVersion} after ${standing} was acknowledged`);
  }
  return breaches;
}

function countRefunds(history: History): Map<string, number> {
  const refunds = new Map<string, number>();
  for (const event of history.events) {
    if (event.type !== 'settlement' || event.kind !== 'refund') continue;
    const name = `${event.reservation} ${event.key}`;
    refunds.set(name, (refunds.get(name) ?? 0) + 1);
  }
  return refunds;
}

function stepBreaches(refunds: ReadonlyMap<string, number>, model: Model, { kind, reservation, key }: Journal['steps'][number]): string[] {
  const { uuid } = parseId('rsv', reservation);
  const state = model.holds.get(uuid)?.state;
  if (kind !== 'refund') {
    const expected = kind === 'confirm' ? 'CONFIRMED' : 'RELEASED';
    return state === expected ? [] : [`the ${kind} of ${uuid} was acknowledged and the reservation is ${state}`];
  }
  const times = refunds.get(`${uuid} ${key}`) ?? 0;
  return times === 1 ? [] : [`the refund ${key} of ${uuid} was acknowledged and is there ${times} times`];
}

function remember(map: Map<string, Set<string>>, key: string, value: string): void {
  map.set(key, (map.get(key) ?? new Set()).add(value));
}

function minorOf(amount: string): bigint {
  return parseMoney({ amount, currency: CURRENCY }, '/amount').minor;
}

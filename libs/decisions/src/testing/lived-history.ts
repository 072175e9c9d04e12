import { createHash, randomUUID } from 'node:crypto';
import { parseId, Refusal, type ShardedId } from '#kernel';
import type { Database } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import type { PolicyInput } from '#policies';
import { policyInput } from '#policies/testing/house-policy';
import type { Allowance } from '../allowance.js';
import type { Allowances } from '../allowances.js';
import type { DecisionAsk } from '../decision.js';
import type { Settlement } from '../reservation.js';
import { liveAllowances } from './live-allowances.js';
import { liveDecider, requestOf } from './live-decider.js';

/** Limits so small that a handful of payments reaches them. */
export const SMALL_LIMITS: PolicyInput['limits'] = [
  { id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '300.00' },
  { id: 'all-week', window: 'WEEK', scope: 'SUBJECT', count: 9 },
  { id: 'to-one', window: 'MONTH', scope: 'SUBJECT_COUNTERPARTY', amount: '200.00' },
  { id: 'ever', window: 'LIFETIME', scope: 'SUBJECT_SERVICE', amount: '900.00' },
  { id: 'rolling', window: 'ROLLING', length: 'PT1M', scope: 'SUBJECT', amount: '280.00' },
  { id: 'open', window: 'OPEN_EXPOSURE', scope: 'SUBJECT', amount: '200.00' },
];

export async function activate(database: Database, version: number, change: Partial<PolicyInput> = {}): Promise<void> {
  const input = policyInput({ version, limits: SMALL_LIMITS, ...change });
  await new PgPolicies(database).activate(input, { author: 'ann', approver: 'ben' }, new Date());
}

/** Decisions and everything that may become of them, from a seed: the same asks every time. */
export async function live(database: Database, subjects: readonly ShardedId[], count: number, seed: string): Promise<void> {
  const world = await liveDecider(database);
  const dice = (i: number, sides: number) => createHash('sha256').update(`${seed} ${i}`).digest().readUInt32BE(0) % sides;
  const one = async (i: number) => {
    const subject = subjects[dice(i, subjects.length)]!;
    const { answer } = await world.decider.decide(askOf(subject, i, dice));
    if (answer.reservation) await settle(world, answer.reservation.id, i, dice);
  };
  await inParallel(count, one);
}

/** Allowances that end in every way, between other payments of the same subject. */
export async function liveOnAllowances(database: Database, subjects: readonly ShardedId[]): Promise<void> {
  const { allowances } = await liveAllowances(database, { secondsMax: 600, graceSeconds: 3_600 });
  for (const [i, subject] of subjects.entries()) {
    const request = { subject, service: 'pay-later', money: { minor: 900n, currency: 'CNY' }, counterparty: undefined, channel: undefined };
    const allowance = await granted(() => allowances.issue({ holder: 'till', key: randomUUID(), request, spends: 3, seconds: 60 }));
    if (!allowance) continue;
    const spend = (minor: bigint) => ({ paymentReference: randomUUID().slice(0, 30), minor, at: new Date() });
    const settle = (reports: ReturnType<typeof spend>[], close: boolean) =>
      allowances.settle({ allowance: allowance.id, holder: 'till', currency: 'CNY', close, reports });
    await settle(i % 3 === 0 ? [spend(400n)] : [], i % 4 === 1);
    await live(database, [subject], 3, `allowance ${i}`);
    await settle([spend(100n)], i % 4 !== 2);
    await live(database, [subject], 2, `afterwards ${i}`);
  }
}

/** A grain of the rolling window may end between reservation and opening: then one asks again, and history has a hold more. */
async function granted(issue: () => ReturnType<Allowances['issue']>): Promise<Allowance | undefined> {
  for (;;) {
    try {
      return (await issue()).allowance;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'allowance.overtaken') throw error;
    }
  }
}

function askOf(subject: ShardedId, i: number, dice: (i: number, sides: number) => number): DecisionAsk {
  const service = ['checkout', 'checkout', 'pay-later', 'marketplace', 'donations'][dice(i + 1e6, 5)]!;
  const holdSeconds = dice(i + 2e6, 5) === 0 ? 1 : 900;
  const counterparty = [undefined, 'shop-1', 'shop-2'][dice(i + 3e6, 3)];
  const mode = dice(i + 4e6, 8) === 0 ? 'EVALUATE' : 'RESERVE';
  const minor = BigInt(1 + dice(i + 5e6, 15_000));
  return {
    caller: 'checkout-service',
    key: randomUUID(),
    request: requestOf(subject, { minor, service, holdSeconds, counterparty, mode }),
  };
}

type World = Awaited<ReturnType<typeof liveDecider>>;

async function settle(world: World, reservationId: string, i: number, dice: (i: number, sides: number) => number): Promise<void> {
  const take = async (settlement: Settlement) => {
    const ask = { caller: 'checkout-service', reservation: parseId('rsv', reservationId), settlement, key: randomUUID() };
    return await world.settler.settle(ask).catch((error: unknown) => {
      // It may run out meanwhile: then history says so.
      if (!(error instanceof Refusal)) throw error;
      return undefined;
    });
  };
  const part = (minor: bigint) => ({ minor: minor / 2n + 1n, currency: 'CNY' });
  const what = dice(i + 6e6, 6);
  if (what === 0) return;
  if (what === 1) return void (await take({ kind: 'release' }));
  const found = await world.reservations.find(parseId('rsv', reservationId));
  const confirmed = await take({ kind: 'confirm', money: what === 2 ? part(found!.amountMinor) : undefined });
  if (!confirmed || what < 4) return;
  await take({ kind: 'refund', money: part(confirmed.reservation.confirmedMinor - 1n) });
  if (what === 5) await take({ kind: 'refund', money: undefined });
}

const AT_ONCE = 24;

async function inParallel(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

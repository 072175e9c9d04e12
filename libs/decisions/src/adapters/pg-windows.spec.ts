import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShardedId } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import type { Cap } from '#policies';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { type DecisionItem, readUsage } from '../decision.js';
import { prepareItem } from '../prepare-item.js';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';

const HOUR_MS = 3_600_000;
const GRAINS = [0, 1, 2].map((hour) => new Date(Date.UTC(2026, 10, 20) + hour * HOUR_MS));
const [g0, g1, g2] = GRAINS as [Date, Date, Date];

let fresh: FreshDatabase;
let live: Awaited<ReturnType<typeof liveDecider>>;

beforeAll(async () => {
  fresh = await freshDatabase();
  await new PgPolicies(fresh.database).activate(policyInput(), { author: 'ann', approver: 'ben' }, new Date());
  live = await liveDecider(fresh.database);
});
afterAll(() => fresh.close());

const cap = (change: Partial<Cap>): Cap => ({
  ...{ limit: 'cap', window: 'DAY', measure: 'SPENT', counter: 'cap/CNY', from: g0, start: g0, end: g1, resetAt: undefined },
  ...{ amountMinor: 100n, count: undefined },
  ...change,
});

async function newSubject(): Promise<ShardedId> {
  return (await addSubjects(fresh.database, 1))[0]!;
}

/** An item evaluated now, under exactly these caps. */
function itemOf(subject: ShardedId, minor: bigint, caps: readonly Cap[], holdSeconds = 900): DecisionItem {
  const standing = {
    subject,
    kind: 'INDIVIDUAL',
    version: 1n,
    score: { value: 720, version: 'test-1' },
    factors: [],
    restrictions: [],
  } as const;
  const ask = { caller: 'checkout-service', key: randomUUID(), request: requestOf(subject, { minor, holdSeconds }) };
  const { item } = prepareItem(ask, new Uint8Array(32), { policy: live.active.current(), standing, at: new Date() }, live.sources);
  return { ...item, evaluation: { ...item.evaluation, caps } };
}

async function take(subject: ShardedId, minor: bigint, caps: readonly Cap[], holdSeconds?: number) {
  const item = itemOf(subject, minor, caps, holdSeconds);
  const [ruling] = await live.ledger.reserve([item]);
  const usage = ruling?.verdict === 'DECIDED' ? ruling.usage : 'not decided';
  return { item, usage, counters: readUsage(usage) };
}

const settle = (item: DecisionItem, kind: 'confirm' | 'release') =>
  live.settler.settle({
    caller: 'checkout-service',
    reservation: item.decision,
    settlement: kind === 'confirm' ? { kind, money: undefined } : { kind },
    key: undefined,
  });

async function look(subject: ShardedId, minor: bigint, caps: readonly Cap[]) {
  const [sighting] = await live.ledger.inspect([itemOf(subject, minor, caps)]);
  return sighting?.verdict === 'SEEN' ? sighting.usage : sighting?.verdict;
}

describe('a rolling window', () => {
  it('counts every grain from its first to the current one, to the unit, and forgets the one that left', async () => {
    const subject = await newSubject();
    expect((await take(subject, 60n, [cap({})])).usage).toBe('0:60:1:0');
    const next = [cap({ start: g1 })];
    expect(await look(subject, 41n, next)).toBe('0:60:1:1');
    expect((await take(subject, 41n, next)).usage).toBe('0:60:1:1');
    expect((await take(subject, 40n, next)).usage).toBe('0:100:2:0');
    expect((await take(subject, 1n, next)).usage).toBe('0:100:2:1');
    // One grain on: the first has left, the second still counts.
    const moved = [cap({ from: g1, start: g2 })];
    expect((await take(subject, 61n, moved)).usage).toBe('0:40:1:1');
    expect((await take(subject, 60n, moved)).usage).toBe('0:100:2:0');
  });

  it('gets back into the grain it was taken from', async () => {
    const subject = await newSubject();
    const { item } = await take(subject, 60n, [cap({})]);
    const { item: second } = await take(subject, 40n, [cap({ start: g1 })]);
    await settle(item, 'release');
    expect(await look(subject, 60n, [cap({ start: g1 })])).toBe('0:40:1:0');
    await settle(second, 'confirm');
    expect(await look(subject, 60n, [cap({ start: g1 })])).toBe('40:0:1:0');
    expect(await look(subject, 100n, [cap({ from: g2, start: g2 })])).toBe('0:0:0:0');
  });

  it('frees a hold that ran out in an older grain', async () => {
    const subject = await newSubject();
    const { item } = await take(subject, 100n, [cap({})]);
    await fresh.database.query(`UPDATE reservations SET expires_at = now() - interval '1 second' WHERE shard = $1 AND reservation = $2`, [
      subject.shard,
      item.decision.uuid,
    ]);
    expect(await look(subject, 100n, [cap({ start: g1 })])).toBe('0:0:0:0');
    expect((await take(subject, 100n, [cap({ start: g1 })])).usage).toBe('0:100:1:0');
  });

  it('judges several at once, each after the one before', async () => {
    const subject = await newSubject();
    await take(subject, 60n, [cap({})]);
    const rulings = await live.ledger.reserve([1, 2, 3].map(() => itemOf(subject, 20n, [cap({ start: g1 })])));
    expect(rulings.map((ruling) => ruling.verdict === 'DECIDED' && ruling.usage)).toEqual(['0:80:2:0', '0:100:3:0', '0:100:3:1']);
  });
});

describe('open exposure', () => {
  const open = (change: Partial<Cap> = {}) => cap({ counter: 'open/CNY', measure: 'OPEN', start: g0, ...change });

  it('counts what is held, and falls when that is confirmed or released', async () => {
    const subject = await newSubject();
    const { item, usage } = await take(subject, 100n, [open({ count: 2 })]);
    expect(usage).toBe('0:100:1:0');
    expect((await take(subject, 1n, [open()])).usage).toBe('0:100:1:1');
    await settle(item, 'confirm');
    expect(await look(subject, 100n, [open()])).toBe('0:0:0:0');
    const { item: second, usage: after } = await take(subject, 100n, [open({ count: 1 })]);
    expect(after).toBe('0:100:1:0');
    await settle(second, 'release');
    expect((await take(subject, 100n, [open()])).counters[0]).toMatchObject({ reservedMinor: 100n, taken: 1 });
  });

  it('stands beside what is spent: each cap has its own measure', async () => {
    const subject = await newSubject();
    const both = [cap({ amountMinor: 150n }), open()];
    const { item } = await take(subject, 100n, both);
    await settle(item, 'confirm');
    expect((await take(subject, 51n, both)).usage).toBe('100:0:1:1,0:0:0:0');
    expect((await take(subject, 50n, both)).usage).toBe('100:50:2:0,0:50:1:0');
  });
});

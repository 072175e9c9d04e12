import { hash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId, type ShardedId } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import type { PolicyInput } from '#policies';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import type { DecisionRequest } from '../decision.js';
import { parseReceiptClaims, receiptClaims } from '../receipt.js';
import { replayReceipt } from '../replay.js';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';

/** Limits of every window, so that each is the tightest of some request; scopes differ. */
const LIMITS: PolicyInput['limits'] = [
  { id: 'week', window: 'ROLLING', length: 'P7D', scope: 'SUBJECT_SERVICE', amount: '500.00' },
  { id: 'ten', window: 'CUSTOM', every: 'P10D', anchor: '2026-01-31', scope: 'SUBJECT_COUNTERPARTY', amount: '400.00' },
  { id: 'open', window: 'OPEN_EXPOSURE', scope: 'SUBJECT', amount: '300.00', count: 2 },
];
const POLICY = policyInput({
  limits: LIMITS,
  discounts: [
    { id: 'tenth', tiers: ['EXCELLENT'], percent: '10', maximum: '8.00' },
    { id: 'coupon', tiers: ['EXCELLENT'], amount: '5.00', counterparties: ['shop-1'] },
  ],
  stacking: { mode: 'SEQUENTIAL' },
  rules: [{ id: 'whole', when: 'request.amount == money("66.00")', then: 'DENY', reason: { code: 'risk.whole', text: 'no' } }],
});

let fresh: FreshDatabase;
let live: Awaited<ReturnType<typeof liveDecider>>;

beforeAll(async () => {
  fresh = await freshDatabase();
  await new PgPolicies(fresh.database).activate(POLICY, { author: 'ann', approver: 'ben' }, new Date());
  live = await liveDecider(fresh.database);
});
afterAll(() => fresh.close());

const newSubject = async (): Promise<ShardedId> => (await addSubjects(fresh.database, 1))[0]!;

async function reserve(subject: ShardedId, minor: bigint, change: Partial<DecisionRequest> = {}) {
  const ask = { caller: 'checkout-service', key: randomUUID(), request: requestOf(subject, { minor, counterparty: 'shop-1', ...change }) };
  return (await live.decider.decide(ask)).answer;
}

async function confirm(answer: Awaited<ReturnType<typeof reserve>>) {
  const reservation = parseId('rsv', answer.reservation!.id);
  await live.settler.settle({ caller: 'checkout-service', reservation, settlement: { kind: 'confirm', money: undefined }, key: undefined });
}

const whatBroke = ({ outcome, reasons }: Awaited<ReturnType<typeof reserve>>) => [outcome, reasons[0]!.source];

describe('a policy of every window', () => {
  it('is held to the unit, whichever limit is the tightest, and told with its counters', async () => {
    const subject = await newSubject();
    const first = await reserve(subject, 30_000n);
    expect(first.discount).toEqual({ amount: '13.00', rule: 'tenth+coupon' });
    expect(whatBroke(await reserve(subject, 1n))).toEqual(['DENY', 'limit open']);
    await confirm(first);
    // What is confirmed is open no more, and still spent.
    expect(whatBroke(await reserve(subject, 10_001n))).toEqual(['DENY', 'limit ten']);
    expect(whatBroke(await reserve(subject, 20_001n, { counterparty: 'shop-2' }))).toEqual(['DENY', 'limit week']);
    const last = await reserve(subject, 20_000n, { counterparty: 'shop-2' });
    expect(last.outcome).toBe('ALLOW');
    expect(last.limits.slice(2).map(({ id, used, reserved, available }) => [id, used, reserved, available])).toEqual([
      ['week', '300.00', '200.00', '0.00'],
      ['ten', '0.00', '200.00', '200.00'],
      ['open', '0.00', '200.00', '100.00'],
    ]);
    expect(last.limits.map(({ id, resetAt }) => [id, resetAt !== undefined])).toEqual([
      ['checkout-one', false],
      ['checkout-day', true],
      ['week', true],
      ['ten', true],
      ['open', false],
    ]);
  });

  it('counts what is open as well as how much', async () => {
    const subject = await newSubject();
    await reserve(subject, 1n);
    await reserve(subject, 1n);
    const third = await reserve(subject, 1n);
    expect([...whatBroke(third), third.limits.at(-1)!.count]).toEqual(['DENY', 'limit open', { limit: 2, taken: 2, available: 0 }]);
  });

  it('judges by its rules', async () => {
    expect(whatBroke(await reserve(await newSubject(), 6_600n))).toEqual(['DENY', 'rule whole']);
  });

  it('tells headroom in all of them', async () => {
    const subject = await newSubject();
    await confirm(await reserve(subject, 10_000n));
    const checkout = (await live.headroom.of(subject)).services.find(({ service }) => service === 'checkout')!;
    expect(checkout.limits.map(({ id, used, available }) => [id, used, available]).slice(2)).toEqual([
      ['week', '100.00', '400.00'],
      ['ten', '0.00', '400.00'],
      ['open', '0.00', '300.00'],
    ]);
  });

  it('gives receipts that replay', async () => {
    const subject = await newSubject();
    const answers = [await reserve(subject, 20_000n), await reserve(subject, 10_001n), await reserve(subject, 6_600n)];
    for (const { decisionId } of answers) {
      const row = await live.ledger.findById(parseId('dec', decisionId!));
      const claims = parseReceiptClaims(JSON.parse(JSON.stringify(receiptClaims(row!, 'https://t'))) as never);
      expect(replayReceipt(claims, POLICY, (bytes) => hash('sha256', bytes, 'buffer'))).toEqual([]);
    }
  });
});

import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';
import { tableContents } from '../world/table-contents.js';

let world: DecisionWorld;
let subject: string;

beforeAll(async () => {
  world = await decisionWorld();
  subject = await world.newSubject();
  const narrow = policyInput({ version: 2, limits: [{ id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '50.00' }] });
  await policyLife(world.fresh.database).draft(narrow, 'ann', new Date());
  for (const amount of ['100.00', '200.00']) await reserve(amount);
});
afterAll(() => world?.close());

const reserve = (amount: string) =>
  world.http('POST', '/v1/decisions', { body: reserveBody(subject, { amount: { amount, currency: 'CNY' } }), key: newKey() });
const bodyOf = (suppose?: object, change: object = {}) => ({
  subject,
  service: 'checkout',
  amount: { amount: '1000.00', currency: 'CNY' },
  ...change,
  ...(suppose === undefined ? {} : { suppose }),
});

/** The answer to a simulation that changed no row of any table. */
async function simulate(suppose?: object, change?: object) {
  const before = await tableContents(world.fresh.url);
  const { status, body } = await world.http('POST', '/v1/decisions/simulations', { body: bodyOf(suppose, change) });
  const overGrpc = await world.grpc('Simulate', bodyOf(suppose, change)).catch((error: { problem: string }) => ({ code: error.problem }));
  expect(await tableContents(world.fresh.url)).toEqual(before);
  return { status, body, overGrpc };
}

const IN_TEN_DAYS = new Date(Date.now() + 10 * 86_400_000).toISOString();

describe('a simulation leaves nothing, and', () => {
  it('answers as the decision that follows it, with the counters it was held to', async () => {
    const { body, overGrpc } = await simulate();
    const { answer, caps, wouldReserveUntil } = body as unknown as { answer: object; caps: object[]; wouldReserveUntil: string };
    expect(answer).toMatchObject({ outcome: 'ALLOW', tier: 'EXCELLENT' });
    expect(answer).not.toHaveProperty('decisionId');
    expect(answer).not.toHaveProperty('reservation');
    expect(Date.parse(wouldReserveUntil)).toBeGreaterThan(Date.now());
    expect(caps).toMatchObject([
      {
        limit: 'checkout-day',
        amount: '5000.00',
        count: 20,
        used: '0.00',
        reserved: '300.00',
        taken: 2,
        exceeded: false,
        measure: 'SPENT',
      },
      { limit: 'all-day', amount: '10000.00', reserved: '300.00' },
    ]);
    expect(overGrpc).toMatchObject({ answer: { outcome: 'ALLOW' }, caps: [{ limit: 'checkout-day', reserved: '300.00', taken: 2 }, {}] });
    const { decisionId: _id, reservation: _held, limits: _after, decidedAt: _at, ...decided } = (await reserve('1000.00')).body;
    expect(answer).toMatchObject(decided);
  });

  it.each<[what: string, suppose: object, change: object | undefined, expected: object]>([
    ['another score', { score: 500 }, undefined, { outcome: 'DENY', tier: 'LIMITED', score: { value: 500, version: 'supposed' } }],
    ['another tier', { tier: 'TRUSTED' }, undefined, { outcome: 'ALLOW', tier: 'TRUSTED', score: { value: 650 } }],
    [
      'nobody in particular',
      { tier: 'BASIC' },
      { subject: undefined, service: 'pay-later' },
      { outcome: 'DENY', reasons: [{ code: 'score.below_minimum' }] },
    ],
    [
      'a draft',
      { policyVersion: '2' },
      undefined,
      { outcome: 'DENY', policy: { version: '2' }, reasons: [{ source: 'limit all-day' }, {}] },
    ],
    [
      'another day',
      { at: IN_TEN_DAYS },
      undefined,
      { outcome: 'ALLOW', limits: [{}, { reserved: '0.00', available: '5000.00' }, {}], decidedAt: IN_TEN_DAYS },
    ],
    [
      'more spent',
      { usage: [{ limit: 'checkout-day', used: '4000.01' }] },
      undefined,
      { outcome: 'DENY', reasons: [{ code: 'limit.exceeded' }, {}] },
    ],
    [
      'all transactions used up',
      { usage: [{ limit: 'checkout-day', taken: 20 }] },
      undefined,
      { outcome: 'DENY', limits: [{}, { count: { available: 0 } }, {}] },
    ],
    [
      'nothing spent',
      { usage: [{ limit: 'checkout-day', used: '0', reserved: '0.00', taken: 0 }] },
      undefined,
      { outcome: 'ALLOW', limits: [{}, { reserved: '0.00' }, {}] },
    ],
  ])('supposes %s', async (_what, suppose, change, expected) => {
    const { status, body, overGrpc } = await simulate(suppose, change);
    expect([status, body]).toMatchObject([200, { answer: expected }]);
    expect(overGrpc).toMatchObject({ answer: { outcome: (expected as { outcome: string }).outcome } });
  });

  it('supposes a closed subject to be free', async () => {
    const [closed] = [await world.newSubject()];
    const { answer } = (await simulate({ withoutRestrictions: true, score: 700 }, { subject: closed })).body as unknown as {
      answer: object;
    };
    expect(answer).toMatchObject({ outcome: 'ALLOW', restrictions: [] });
  });

  it.each<[what: string, suppose: object | undefined, change: object, status: number, code: string]>([
    ['nobody at all', undefined, { subject: undefined }, 400, 'simulation.nobody'],
    ['a score and a tier', { score: 600, tier: 'GOOD' }, {}, 400, 'simulation.contradiction'],
    ['an unknown tier', { tier: 'SUPER' }, {}, 422, 'tier.unknown'],
    ['an unknown version', { policyVersion: '99' }, {}, 404, 'policy.unknown'],
    ['an unknown limit', { usage: [{ limit: 'later-month', used: '1.00' }] }, {}, 422, 'limit.unknown'],
    ['too exact an amount', { usage: [{ limit: 'all-day', used: '1.001' }] }, {}, 422, 'amount.precision'],
    ['a mode', undefined, { mode: 'RESERVE' }, 400, 'decision.malformed'],
    ['an unknown service', undefined, { service: 'teleport' }, 422, 'service.unknown'],
  ])('refuses %s', async (_what, suppose, change, status, code) => {
    const answered = await simulate(suppose, change);
    expect([answered.status, answered.body['code']]).toEqual([status, code]);
    if (!('mode' in change)) expect(answered.overGrpc).toMatchObject({ code });
  });

  it('needs a scope of its own', async () => {
    const token = world.token('decisions:evaluate decisions:reserve standing:read');
    const { status, body } = await world.http('POST', '/v1/decisions/simulations', { body: bodyOf(), token });
    expect([status, body['code']]).toEqual([403, 'scope.missing']);
    await expect(world.grpc('Simulate', bodyOf(), token)).rejects.toMatchObject({ problem: 'scope.missing' });
  });
});

import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import type { Restriction, Standing } from '#standing';
import { compilePolicy } from './compile.js';
import { parsePolicy, type PolicyInput, policyJsonSchema } from './document.js';
import { evaluate } from './evaluate.js';
import { policyInput, testPolicy } from './testing/house-policy.js';

const AT = new Date('2026-11-21T12:00:00Z');

function standing(score: number, ...restrictions: Partial<Restriction>[]): Standing {
  return {
    subject: { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' },
    kind: 'INDIVIDUAL',
    version: 1n,
    score: { value: score, version: 'test' },
    factors: [],
    restrictions: restrictions.map((change, i) => ({
      id: `r${i}`,
      step: 'SERVICE_STOP',
      services: [],
      reason: { code: 'FRAUD', text: 'fraud' },
      startsAt: new Date(0),
      ...change,
    })),
  };
}

const ask = (known: Standing, service: string, minor: bigint, at = AT) =>
  evaluate(known, testPolicy(), { service, money: { minor, currency: 'CNY' } }, at);

type Row = [name: string, known: Standing, service: string, minor: bigint, outcome: string, codes: string[]];

const ROWS: Row[] = [
  ['good standing', standing(720), 'checkout', 100n, 'ALLOW', ['score.sufficient']],
  ['at the transaction limit', standing(500), 'checkout', 20_000n, 'ALLOW', ['score.sufficient']],
  ['above the transaction limit', standing(500), 'checkout', 20_001n, 'DENY', ['limit.transaction_exceeded']],
  ['above the review line', standing(720), 'checkout', 150_001n, 'REVIEW', ['amount.review']],
  ['DENY wins over REVIEW', standing(720), 'checkout', 200_001n, 'DENY', ['limit.transaction_exceeded', 'amount.review']],
  ['pay-later at 649', standing(649), 'pay-later', 100n, 'DENY', ['score.below_minimum']],
  ['pay-later at 650', standing(650), 'pay-later', 100n, 'ALLOW', ['score.sufficient']],
  ['closed', standing(900, { step: 'CLOSURE' }), 'checkout', 100n, 'DENY', ['restriction.closure']],
  ['stopped elsewhere', standing(720, { services: ['pay-later'] }), 'checkout', 100n, 'ALLOW', ['score.sufficient']],
  ['stopped here', standing(720, { services: ['pay-later'] }), 'pay-later', 100n, 'DENY', ['restriction.service_stop']],
  ['warned', standing(720, { step: 'WARN' }), 'checkout', 100n, 'ALLOW', ['restriction.warning']],
  ['ended this instant', standing(720, { endsAt: AT }), 'checkout', 100n, 'ALLOW', ['score.sufficient']],
  ['ends in a millisecond', standing(720, { endsAt: new Date(AT.getTime() + 1) }), 'checkout', 100n, 'DENY', ['restriction.service_stop']],
  ['starts later', standing(720, { startsAt: new Date(AT.getTime() + 1) }), 'checkout', 100n, 'ALLOW', ['score.sufficient']],
  [
    'cut to half',
    standing(720, { step: 'LIMIT_CUT', limitPercent: 50 }),
    'checkout',
    100_001n,
    'DENY',
    ['limit.transaction_exceeded', 'restriction.limit_cut'],
  ],
];

describe('an evaluation', () => {
  it.each(ROWS)('%s', (_name, known, service, minor, outcome, codes) => {
    const evaluation = ask(known, service, minor);
    expect([evaluation.outcome, evaluation.reasons.map(({ code }) => code)]).toEqual([outcome, codes]);
  });

  it('binds nobody where the service is advisory, and asks nothing where it is off', () => {
    expect(ask(standing(720, {}), 'marketplace', 100n)).toMatchObject({ outcome: 'ALLOW', computedOutcome: 'DENY' });
    expect(ask(standing(720, {}), 'donations', 100n)).toMatchObject({ outcome: 'ALLOW', computedOutcome: 'ALLOW', caps: [] });
  });

  it('names every counter, cut and discount', () => {
    const evaluation = ask(standing(720, { step: 'LIMIT_CUT', limitPercent: 50 }), 'checkout', 10_000n);
    expect(evaluation.caps.map(({ counter, amountMinor, count }) => [counter, amountMinor, count])).toEqual([
      ['checkout-day/CNY/checkout', 250_000n, 20],
      ['all-day/CNY', 500_000n, undefined],
    ]);
    expect(evaluation.discount).toEqual({ rate: '2', minor: 200n, rule: 'excellent-checkout' });
  });

  it('holds only between the window’s and the restrictions’ edges', () => {
    const end = new Date('2026-11-21T13:00:00Z');
    const { from, until } = ask(standing(720, { step: 'WARN', endsAt: end }), 'checkout', 100n);
    expect([from.toISOString(), until]).toEqual(['2026-11-20T16:00:00.000Z', end]);
  });

  it.each([
    ['no such service', 'teleport', 'CNY', 100n, 'service.unknown'],
    ['another currency', 'checkout', 'EUR', 100n, 'currency.unsupported'],
    ['nothing', 'checkout', 'CNY', 0n, 'amount.not_positive'],
  ])('refuses %s', (_name, service, currency, minor, code) => {
    expect(() => evaluate(standing(720), testPolicy(), { service, money: { minor, currency } }, AT)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('a cut', () => {
  const limits = (...cuts: Partial<Restriction>[]) => {
    const known = standing(720, ...cuts.map((cut) => ({ step: 'LIMIT_CUT' as const, ...cut })));
    const { transactionLimits, caps } = ask(known, 'checkout', 100n);
    return [...transactionLimits, ...caps].map(({ amountMinor }) => amountMinor);
  };

  it.each<[name: string, cuts: Partial<Restriction>[], expected: bigint[]]>([
    ['of nothing', [], [200_000n, 500_000n, 1_000_000n]],
    ['to a percentage', [{ limitPercent: 50 }], [100_000n, 250_000n, 500_000n]],
    ['to an amount', [{ limitMinor: 300_000n }], [200_000n, 300_000n, 300_000n]],
    ['to an amount in the policy’s currency', [{ limitMinor: 300_000n, currency: 'CNY' }], [200_000n, 300_000n, 300_000n]],
    ['to both: the smaller counts', [{ limitPercent: 50, limitMinor: 300_000n }], [100_000n, 250_000n, 300_000n]],
    ['by the deepest of several', [{ limitPercent: 50 }, { limitPercent: 20 }, { limitMinor: 90_000n }], [40_000n, 90_000n, 90_000n]],
    ['to an amount in another currency, which leaves nothing', [{ limitMinor: 300_000n, currency: 'EUR' }], [0n, 0n, 0n]],
    ['that says nothing, which leaves nothing', [{}], [0n, 0n, 0n]],
  ])('%s', (_name, cuts, expected) => {
    expect(limits(...cuts)).toEqual(expected);
  });

  it('leaves the terms of everybody else as they are', () => {
    limits({ limitMinor: 1n });
    expect(limits()).toEqual([200_000n, 500_000n, 1_000_000n]);
  });

  it('and a bank notice change no outcome and are told', () => {
    const { outcome, reasons } = ask(standing(720, { step: 'BANK_NOTICE' }), 'checkout', 100n);
    expect([outcome, reasons.map(({ code }) => code)]).toEqual(['ALLOW', ['restriction.bank_notice']]);
  });
});

const DEAR_RULES = Array.from({ length: 40 }, (_, i) => {
  const when = Array.from({ length: 10 }, () => `"X${i}" in subject.restrictions`).join(' || ');
  return { id: `r${i}`, when, then: 'DENY' as const, reason: { code: 'risk.x', text: 'x' } };
});

type Rules = NonNullable<PolicyInput['rules']>;
const reason = { code: 'risk.night', text: 'at night' };
const ruled = (rules: Rules, change: Partial<PolicyInput> = {}) => testPolicy({ rules, ...change });
const judged = (policy: ReturnType<typeof testPolicy>, known = standing(720), at = AT, service = 'checkout') =>
  evaluate(known, policy, { service, money: { minor: 10_000n, currency: 'CNY' }, mode: 'EVALUATE' }, at);

describe('the rules of a policy', () => {
  const one = (change: Partial<Rules[number]>): Rules => [{ id: 'one', when: 'true', then: 'DENY', reason, ...change }];

  it.each<[name: string, rules: Rules, outcome: string, codes: string[]]>([
    ['none applies', one({ when: 'subject.score < 600' }), 'ALLOW', ['score.sufficient']],
    ['DENY', one({ when: 'request.amount >= money("100.00")' }), 'DENY', ['risk.night']],
    ['REVIEW', one({ then: 'REVIEW' }), 'REVIEW', ['risk.night']],
    ['WARN', one({ then: 'WARN' }), 'ALLOW', ['risk.night']],
    ['of another service', one({ services: ['pay-later'] }), 'ALLOW', ['score.sufficient']],
    ['of this service', one({ services: ['pay-later', 'checkout'] }), 'DENY', ['risk.night']],
    [
      'the strictest first, then as they stand',
      [...one({ then: 'WARN' }), { id: 'two', when: 'true', then: 'REVIEW', reason: { code: 'a.b', text: 'c' } }],
      'REVIEW',
      ['a.b', 'risk.night'],
    ],
    ['without value fails closed', one({ then: 'WARN', when: '1 / (subject.score - 720) > 1' }), 'DENY', ['rule.failed']],
  ])('%s', (_name, rules, outcome, codes) => {
    const evaluation = judged(ruled(rules));
    expect([evaluation.outcome, evaluation.reasons.map(({ code }) => code)]).toEqual([outcome, codes]);
  });

  it('name themselves, with their reason', () => {
    expect(judged(ruled(one({}))).reasons).toEqual([{ ...reason, source: 'rule one' }]);
    expect(judged(ruled(one({ when: '1 / (subject.score - 720) > 1' }))).reasons).toEqual([
      { code: 'rule.failed', text: 'the rule has no value here: division by zero', source: 'rule one' },
    ]);
  });

  it('see the restrictions in force here and not those of other services or times', () => {
    const policy = ruled(one({ when: '"LATE" in subject.restrictions', then: 'REVIEW' }));
    const late = (change: Partial<Restriction>) =>
      judged(policy, standing(720, { step: 'WARN', reason: { code: 'LATE', text: '' }, ...change })).outcome;
    expect([late({}), late({ services: ['pay-later'] }), late({ endsAt: AT })]).toEqual(['REVIEW', 'ALLOW', 'ALLOW']);
  });

  it('hold for the hour or the day that they look at, and for as long as the windows otherwise', () => {
    const edges = (when: string, timeZone = 'Asia/Kathmandu') => {
      const { from, until } = judged(ruled(one({ when }), { timeZone }));
      return [from, until].map((edge) => edge.toISOString().slice(0, 16));
    };
    expect(edges('at.hour > 3')).toEqual(['2026-11-21T11:15', '2026-11-21T12:15']);
    expect(edges('at.weekday > 3')).toEqual(['2026-11-20T18:15', '2026-11-21T18:15']);
    expect(judged(ruled(one({ when: 'at.weekday > 3' }), { limits: [] }), standing(720), AT, 'pay-later')).toMatchObject({
      from: new Date('2026-11-20T16:00Z'),
      until: new Date('2026-11-21T16:00Z'),
    });
    expect(edges('subject.score > 3', 'Asia/Shanghai')).toEqual(['2026-11-20T16:00', '2026-11-21T16:00']);
  });

  it('are judged by the policy’s clock', () => {
    const policy = ruled(one({ when: 'at.hour < 5' }));
    expect([judged(policy).outcome, judged(policy, standing(720), new Date('2026-11-21T16:00Z')).outcome]).toEqual(['ALLOW', 'DENY']);
  });

  it('bind nobody where the service is advisory', () => {
    expect(judged(ruled(one({})), standing(720), AT, 'marketplace')).toMatchObject({ outcome: 'ALLOW', computedOutcome: 'DENY' });
  });
});

describe('limits of every window', () => {
  it('name what counts, from when, and until when', () => {
    const limit = (id: string, more: object) => ({ id, scope: 'SUBJECT' as const, amount: '1.00', ...more }) as never;
    const policy = testPolicy({
      limits: [
        limit('roll', { window: 'ROLLING', length: 'P1D', scope: 'SUBJECT_SERVICE' }),
        limit('ten', { window: 'CUSTOM', every: 'P10D', anchor: '2026-11-20', scope: 'SUBJECT_COUNTERPARTY', count: 3 }),
        limit('open', { window: 'OPEN_EXPOSURE', count: 2 }),
      ],
    });
    const { caps, from, until } = judged(policy, standing(720), AT, 'pay-later');
    const time = (instant: Date | undefined) => instant?.toISOString().slice(0, 16);
    const rows = caps
      .slice(1)
      .map((cap) => [cap.counter, cap.measure, time(cap.from), time(cap.start), time(cap.end), time(cap.resetAt), cap.count]);
    expect(rows).toEqual([
      ['roll/CNY/pay-later', 'SPENT', '2026-11-20T12:00', '2026-11-21T12:00', '2026-11-21T12:30', '2026-11-22T12:30', undefined],
      ['ten/CNY/to/', 'SPENT', '2026-11-19T16:00', '2026-11-19T16:00', '2026-11-29T16:00', '2026-11-29T16:00', 3],
      ['open/CNY', 'OPEN', '1970-01-01T00:00', '1970-01-01T00:00', '9999-12-31T00:00', undefined, 2],
    ]);
    expect([time(from), time(until)]).toEqual(['2026-11-21T12:00', '2026-11-21T12:30']);
  });
});

describe('a policy document', () => {
  const refused = (change: object) => {
    try {
      compilePolicy(parsePolicy({ ...policyInput(), ...change }), '');
      return 'accepted';
    } catch (error) {
      return error instanceof Refusal ? error.code : 'defect';
    }
  };

  it.each([
    ['a good one', {}, 'accepted'],
    ['an unknown field', { extra: 1 }, 'policy.malformed'],
    ['an amount with an exponent', { limits: [{ id: 'x', window: 'DAY', scope: 'SUBJECT', amount: '1e2' }] }, 'policy.malformed'],
    ['too many decimals', { limits: [{ id: 'x', window: 'DAY', scope: 'SUBJECT', amount: '1.001' }] }, 'amount.precision'],
    ['an unknown zone', { timeZone: 'Mars/Olympus' }, 'policy.inconsistent'],
    ['an unknown currency', { currency: 'XQQ' }, 'policy.inconsistent'],
    ['no lowest tier', { tiers: [{ name: 'LIMITED', minimumScore: 400 }] }, 'policy.inconsistent'],
    ['a limit that says nothing', { limits: [{ id: 'x', window: 'DAY', scope: 'SUBJECT' }] }, 'policy.inconsistent'],
    ['a shared limit id', { limits: [{ id: 'checkout-day', window: 'DAY', scope: 'SUBJECT', amount: '1' }] }, 'policy.inconsistent'],
    ['a discount that is both', { discounts: [{ id: 'x', tiers: ['GOOD'], percent: '1', amount: '1.00' }] }, 'policy.inconsistent'],
    ['a discount of nothing said', { discounts: [{ id: 'x', tiers: ['GOOD'] }] }, 'policy.inconsistent'],
    ['a fixed discount finer than the currency', { discounts: [{ id: 'x', tiers: ['GOOD'], amount: '0.001' }] }, 'amount.precision'],
    ['a sum without an end', { stacking: { mode: 'SUM' } }, 'policy.inconsistent'],
    ['a window without its length', { limits: [{ id: 'x', window: 'ROLLING', scope: 'SUBJECT', amount: '1' }] }, 'policy.inconsistent'],
    ['a rule that is none', { rules: [{ id: 'x', when: 'request.amount > 1.5', then: 'DENY', reason }] }, 'policy.rule_refused'],
    [
      'a rule of the platform',
      { rules: [{ id: 'x', when: 'true', then: 'DENY', reason: { code: 'limit.x', text: 'x' } }] },
      'policy.inconsistent',
    ],
    ['a rule for no service', { rules: [{ id: 'x', services: ['x'], when: 'true', then: 'DENY', reason }] }, 'policy.inconsistent'],
    ['rules that cost too much together', { rules: DEAR_RULES }, 'policy.rule_refused'],
    ['a discount for nobody', { discounts: [{ id: 'x', tiers: ['NONE'], percent: '1' }] }, 'policy.inconsistent'],
  ])('%s', (_name, change, code) => {
    expect(refused(change)).toBe(code);
  });

  it('has a published schema', () => {
    expect(policyJsonSchema()).toMatchObject({ type: 'object', additionalProperties: false });
  });
});

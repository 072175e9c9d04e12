import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import type { Restriction, Standing } from '#standing';
import { compilePolicy } from './compile.js';
import { parsePolicy, policyJsonSchema } from './document.js';
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
    ['a discount for nobody', { discounts: [{ id: 'x', tiers: ['NONE'], percent: '1' }] }, 'policy.inconsistent'],
  ])('%s', (_name, change, code) => {
    expect(refused(change)).toBe(code);
  });

  it('has a published schema', () => {
    expect(policyJsonSchema()).toMatchObject({ type: 'object', additionalProperties: false });
  });
});

import { describe, expect, it } from 'vitest';
import type { PolicyInput } from '../document.js';
import { policyInput } from '../testing/house-policy.js';
import { lintPolicy } from './lint-policy.js';

type Rule = NonNullable<PolicyInput['rules']>[number];
type Discount = NonNullable<PolicyInput['discounts']>[number];
type Limit = NonNullable<PolicyInput['limits']>[number];

const found = (change: Partial<PolicyInput>) => lintPolicy(JSON.stringify(policyInput(change))).map(({ code, pointer }) => [code, pointer]);
const rules = (...changes: Partial<Rule>[]) => ({
  rules: changes.map((change, i): Rule => ({
    id: `r${i}`,
    when: 'subject.score < 600',
    then: 'DENY',
    reason: { code: 'x', text: 'x' },
    ...change,
  })),
});
const discounts = (...changes: Partial<Discount>[]) => ({
  discounts: changes.map((change, i): Discount => ({ id: `d${i}`, tiers: ['GOOD'], ...change })),
});
const limits = (...changes: Partial<Limit>[]) => ({
  limits: changes.map((change, i): Limit => ({ id: `l${i}`, window: 'DAY', scope: 'SUBJECT', amount: '9.00', ...change })),
});
const ladder = (change: object) => ({
  ladder: {
    rungs: [
      { id: 'mild', sanctions: [{ step: 'WARN' as const }] },
      { id: 'hard', sanctions: [{ step: 'CLOSURE' as const }] },
    ],
    start: { MINOR: 'mild', MAJOR: 'hard', SEVERE: 'hard' },
    ...change,
  },
});

describe('the linter on rules', () => {
  it.each<[name: string, change: Partial<PolicyInput>, ...findings: [code: string, pointer: string][]]>([
    ['a good rule', rules({})],
    ['rules that differ', rules({}, { when: 'subject.score > 600' }, { when: 'request.amount > money("1.00")' })],
    ['no expression', rules({ when: 'subject.score <' }), ['policy.rule_refused', '/rules/0/when']],
    ['money as a decimal number', rules({ when: 'request.amount > 199.0' }), ['policy.rule_refused', '/rules/0/when']],
    ['an unknown name', rules({ when: 'subject.rating > 1' }), ['policy.rule_refused', '/rules/0/when']],
    ['an unknown field of a rule', rules({ then: 'DENY', esle: 'x' } as object), ['policy.unknown_field', '/rules/0/esle']],
    ['two rules of one id', rules({}, { id: 'r0', when: 'subject.score > 600' }), ['policy.inconsistent', '/rules/1/id']],
    ['a service that does not exist', rules({ services: ['checkout', 'chekout'] }), ['policy.inconsistent', '/rules/0/services/1']],
    ['a service that is off', rules({ services: ['donations'] }), ['rule.out_of_reach', '/rules/0']],
    ['what is always true', rules({ when: 'true || subject.score > 1' }), ['rule.always', '/rules/0/when']],
    ['what any score is', rules({ when: 'subject.score >= 350' }), ['rule.always', '/rules/0/when']],
    ['what no score is', rules({ when: 'subject.score > 950 && request.amount > money("1")' }), ['rule.never', '/rules/0/when']],
    ['a score that there is not', rules({ when: 'subject.score == 1000' }), ['rule.never', '/rules/0/when']],
    ['what is never true', rules({ when: '!(money("2") > money("1.00"))' }), ['rule.never', '/rules/0/when']],
    ['the same twice', rules({}, {}), ['rule.shadowed', '/rules/1']],
    ['the same in other words', rules({ when: 'subject.score<600' }, { when: '  subject.score < 600 ' }), ['rule.shadowed', '/rules/1']],
    ['the same in another service', rules({ services: ['checkout'] }, { services: ['pay-later'] })],
    ['the same for more services', rules({ services: ['checkout'] }, {}), ['rule.shadowed', '/rules/0']],
    ['a narrower one after DENY', rules({}, { when: 'subject.score < 500', then: 'REVIEW' }), ['rule.shadowed', '/rules/1']],
    ['a narrower one before DENY', rules({ when: 'subject.score <= 599', then: 'WARN' }, {}), ['rule.shadowed', '/rules/0']],
    ['a wider one after DENY', rules({ when: 'subject.score < 500' }, { when: 'subject.score < 600', then: 'REVIEW' })],
    [
      'one more condition after DENY',
      rules(
        { when: 'request.amount > money("10")' },
        { when: 'subject.kind == "MERCHANT" && request.amount >= money("10.01")', then: 'REVIEW' },
      ),
      ['rule.shadowed', '/rules/1'],
    ],
    [
      'an amount that is not enough to be sure',
      rules({ when: 'request.amount > money("10")' }, { when: 'request.amount >= money("10")', then: 'REVIEW' }),
    ],
    [
      'one of several after DENY',
      rules({ when: 'subject.score < 400 || at.hour < 5' }, { when: 'at.hour == 3', then: 'WARN' }),
      ['rule.shadowed', '/rules/1'],
    ],
    ['a narrower DENY under a REVIEW', rules({ then: 'REVIEW' }, { when: 'subject.score < 500' })],
    ['two warnings, one narrower', rules({ then: 'WARN' }, { when: 'subject.score < 500', then: 'WARN' })],
    ['an unknown tier', rules({ when: 'subject.tier == "GOLD"' }), ['rule.unknown_name', '/rules/0/when']],
    ['unknown tiers in a list', rules({ when: 'subject.tier in ["GOOD", "GOLD"]' }), ['rule.unknown_name', '/rules/0/when']],
    ['an unknown service, the other way round', rules({ when: '"chekout" == request.service' }), ['rule.unknown_name', '/rules/0/when']],
    ['an unknown kind', rules({ when: 'subject.kind != "COMPANY"' }), ['rule.unknown_name', '/rules/0/when']],
    ['a counterparty nobody knows', rules({ when: 'request.counterparty == "anybody"' })],
  ])('%s', (_name, change, ...findings) => {
    expect(found(change)).toEqual(findings);
  });

  it.each<[name: string, when: string, at: string]>([
    ['a decimal number', 'request.service == "a\\"b" && request.amount > 199.0', '199.0'],
    ['an unknown field behind what JSON escapes', 'request.service == "\u00fc😀\\t" && subject.rating > 1', 'rating'],
    ['an unknown tier', 'subject.tier == "GOLD"', '\\"GOLD'],
  ])('names line and column of %s inside the expression', (_name, when, at) => {
    const text = JSON.stringify(policyInput(rules({ when })), undefined, 2);
    const before = text.slice(0, text.indexOf(at, text.indexOf('"rules"'))).split('\n');
    expect(lintPolicy(text)).toEqual([expect.objectContaining({ line: before.length, column: before.at(-1)!.length + 1 })]);
  });
});

describe('the linter on discounts, windows and ladders', () => {
  it.each<[name: string, change: Partial<PolicyInput>, ...findings: [code: string, pointer: string][]]>([
    ['a better percentage', discounts({ percent: '1' }, { percent: '2' }), ['discount.never_best', '/discounts/0']],
    ['a better percentage that ends', discounts({ percent: '1' }, { percent: '2', maximum: '5.00' })],
    [
      'a better percentage that ends later',
      discounts({ percent: '1', maximum: '4.00' }, { percent: '2', maximum: '5.00' }),
      ['discount.never_best', '/discounts/0'],
    ],
    ['a better percentage from an amount on', discounts({ percent: '1' }, { percent: '2', minimumAmount: '5.00' })],
    ['a better percentage for some', discounts({ percent: '1' }, { percent: '2', counterparties: ['shop'] })],
    [
      'a better one for the same some',
      discounts({ percent: '1', counterparties: ['shop'] }, { percent: '2', counterparties: ['shop', 'bar'] }),
      ['discount.never_best', '/discounts/0'],
    ],
    ['a better amount', discounts({ amount: '5.00' }, { amount: '4.00' }), ['discount.never_best', '/discounts/1']],
    [
      'an amount below a percentage’s least',
      discounts({ percent: '10' }, { amount: '5.00', minimumAmount: '50.00' }),
      ['discount.never_best', '/discounts/1'],
    ],
    ['an amount against a percentage', discounts({ percent: '10' }, { amount: '5.00' })],
    [
      'an amount above a percentage’s most',
      discounts({ percent: '10', maximum: '5.00' }, { amount: '5.00' }),
      ['discount.never_best', '/discounts/0'],
    ],
    ['all of those that add up', { ...discounts({ percent: '1' }, { percent: '2' }), stacking: { mode: 'SUM', maximum: '9.00' } }],
    ['a discount of nothing', discounts({ percent: '0' }), ['discount.nothing', '/discounts/0']],
    ['a discount up to nothing', discounts({ amount: '1.00', maximum: '0.00' }), ['discount.nothing', '/discounts/0']],
    ['a sum without an end', { stacking: { mode: 'SUM' } }, ['policy.inconsistent', '/stacking']],
    ['an unfit field of a window', limits({ length: 'P7D' }), ['policy.inconsistent', '/limits/0/length']],
    ['a missing field of a window', limits({ window: 'ROLLING' }), ['policy.inconsistent', '/limits/0']],
    ['a length in months', limits({ window: 'ROLLING', length: 'P1M' }), ['policy.malformed', '/limits/0/length']],
    ['windows that roll for different times', limits({ window: 'ROLLING', length: 'P7D' }, { window: 'ROLLING', length: 'P30D' })],
    [
      'windows that roll for the same time',
      limits({ window: 'ROLLING', length: 'P7D' }, { window: 'ROLLING', length: 'P1W', amount: '10.00' }),
      ['limit.never_binds', '/limits/1'],
    ],
    [
      'custom periods of different anchors',
      limits({ window: 'CUSTOM', every: 'P7D', anchor: '2026-01-01' }, { window: 'CUSTOM', every: 'P7D', anchor: '2026-01-02' }),
    ],
    ['a good ladder', ladder({})],
    [
      'a ladder for a service that is not here',
      ladder({ rungs: [{ id: 'mild', sanctions: [{ step: 'WARN', services: ['x'] }] }, ...ladder({}).ladder.rungs.slice(1)] }),
      ['ladder.unknown_service', '/ladder/rungs/0/sanctions/0/services/0'],
    ],
    [
      'a rung that no violation comes to',
      ladder({ start: { MINOR: 'hard', MAJOR: 'hard', SEVERE: 'hard' } }),
      ['ladder.out_of_reach', '/ladder/rungs/0'],
    ],
    [
      'a ladder that begins nowhere',
      ladder({ start: { MINOR: 'soft', MAJOR: 'hard', SEVERE: 'hard' } }),
      ['policy.malformed', '/ladder/start'],
    ],
    [
      'a cut finer than the currency',
      ladder({ rungs: [{ id: 'mild', sanctions: [{ step: 'LIMIT_CUT', limitAmount: '0.001' }] }, ...ladder({}).ladder.rungs.slice(1)] }),
      ['amount.precision', '/ladder/rungs/0/sanctions/0/limitAmount'],
    ],
    ['good words on disputes', { disputes: { score: 'CAP', capPoints: 40, restrictions: 'SUSPEND', holidays: ['2026-12-25'] } }],
    ['a cap without points', { disputes: { score: 'CAP', restrictions: 'KEEP' } }, ['policy.malformed', '/disputes/capPoints']],
    [
      'points without a cap',
      { disputes: { score: 'KEEP', capPoints: 5, restrictions: 'KEEP' } },
      ['policy.malformed', '/disputes/capPoints'],
    ],
    [
      'more time than the contract gives',
      { disputes: { score: 'EXCLUDE', restrictions: 'KEEP', answerDays: 31 } },
      ['policy.malformed', '/disputes/answerDays'],
    ],
    [
      'a reminder before the dispute',
      { disputes: { score: 'EXCLUDE', restrictions: 'KEEP', answerDays: 5, remindDaysBefore: 5 } },
      ['policy.malformed', '/disputes/remindDaysBefore'],
    ],
    [
      'a cap as wide as the scale',
      { disputes: { score: 'CAP', capPoints: 600, restrictions: 'KEEP' } },
      ['disputes.cap_never_binds', '/disputes/capPoints'],
    ],
    [
      'a closure that a dispute opens again',
      { ...ladder({}), disputes: { score: 'EXCLUDE', restrictions: 'SUSPEND' } },
      ['disputes.suspends_closure', '/disputes/restrictions'],
    ],
    [
      'a holiday on a Saturday',
      { disputes: { score: 'EXCLUDE', restrictions: 'KEEP', holidays: ['2026-12-25', '2026-12-26'] } },
      ['disputes.holiday_on_weekend', '/disputes/holidays/1'],
    ],
  ])('%s', (_name, change, ...findings) => {
    expect(found(change)).toEqual(findings);
  });
});

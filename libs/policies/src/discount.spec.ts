import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMoney } from '#kernel';
import { discountMinor, discountOf, discountRule, type Rounding, stackingOf } from './discount.js';
import type { DiscountDocument, StackingDocument } from './document.js';

const minor = (amount: string) => parseMoney({ amount, currency: 'CNY' }).minor;
const yuan = (amountMinor: bigint) => `${amountMinor / 100n}.${String(amountMinor % 100n).padStart(2, '0')}`;
const rule = (change: Partial<DiscountDocument>, id = 'd') =>
  discountRule({ id, rounding: 'DOWN', services: [], tiers: ['T'], ...change }, minor);
const percentage = (percent: string, rounding: Rounding = 'DOWN') => rule({ percent, rounding });
const stacked = (stacking: StackingDocument, amountMinor: bigint, ...rules: [id: string, change: Partial<DiscountDocument>][]) =>
  discountOf(
    rules.map(([id, change]) => rule(change, id)),
    stackingOf(stacking, minor),
    amountMinor,
    'shop',
  );

describe('a discount', () => {
  it.each<[amountMinor: bigint, percent: string, rounding: Rounding, expected: bigint]>([
    [19_900n, '1.5', 'DOWN', 298n],
    [19_900n, '1.5', 'HALF_UP', 299n],
    [19_900n, '1.5', 'HALF_EVEN', 298n],
    [19_700n, '1.5', 'HALF_EVEN', 296n],
    [19_701n, '1.5', 'HALF_EVEN', 296n],
    [1n, '50', 'DOWN', 0n],
    [1n, '50', 'HALF_UP', 1n],
    [1n, '50', 'HALF_EVEN', 0n],
    [3n, '50', 'HALF_EVEN', 2n],
    [10_000n, '0.0001', 'DOWN', 0n],
    [1_000_000n, '0.0001', 'DOWN', 1n],
    [999_999_999_999_999n, '100', 'HALF_UP', 999_999_999_999_999n],
    [999_999_999_999_999n, '33.3333', 'DOWN', 333_332_999_999_999n],
  ])('of %s at %s %% rounded %s is %s', (amountMinor, percent, rounding, expected) => {
    expect(discountMinor(percentage(percent, rounding), amountMinor)).toBe(expected);
  });

  it.each<[name: string, change: Partial<DiscountDocument>, amountMinor: bigint, expected: bigint]>([
    ['a fixed amount', { amount: '5.00' }, 10_000n, 500n],
    ['a fixed amount above what is paid', { amount: '5.00' }, 300n, 300n],
    ['a percentage up to its maximum', { percent: '10', maximum: '8.00' }, 7_999n, 799n],
    ['a percentage at its maximum', { percent: '10', maximum: '8.00' }, 8_000n, 800n],
    ['a percentage beyond its maximum', { percent: '10', maximum: '8.00' }, 1_000_000n, 800n],
    ['a maximum above what is paid', { percent: '100', maximum: '8.00' }, 5n, 5n],
  ])('%s', (_name, change, amountMinor, expected) => {
    expect(discountMinor(rule(change), amountMinor)).toBe(expected);
  });

  it('applies from its minimum amount on, and to its counterparties only', () => {
    const rules = [rule({ percent: '10', minimumAmount: '100.00', counterparties: ['shop', 'bar'] })];
    const off = (amountMinor: bigint, counterparty?: string) =>
      discountOf(rules, stackingOf({ mode: 'BEST' }, minor), amountMinor, counterparty)?.minor;
    expect([off(10_000n, 'shop'), off(9_999n, 'shop'), off(10_000n, 'kiosk'), off(10_000n)]).toEqual([
      1_000n,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('several discounts', () => {
  const [two, five] = [
    ['two', { percent: '2' }],
    ['five', { amount: '5.00' }],
  ] as [string, Partial<DiscountDocument>][] as [[string, Partial<DiscountDocument>], [string, Partial<DiscountDocument>]];

  it.each<[name: string, stacking: StackingDocument, amountMinor: bigint, minor: bigint | undefined, rule?: string, rate?: string]>([
    ['the best', { mode: 'BEST' }, 10_000n, 500n, 'five'],
    ['the best of a large amount', { mode: 'BEST' }, 100_000n, 2_000n, 'two', '2'],
    ['the first of equals', { mode: 'BEST' }, 25_000n, 500n, 'two', '2'],
    ['the best up to the maximum', { mode: 'BEST', maximum: '1.00' }, 10_000n, 100n, 'five'],
    ['the sum', { mode: 'SUM', maximumPercent: '100' }, 10_000n, 700n, 'two+five'],
    ['the sum up to an amount', { mode: 'SUM', maximum: '6.00' }, 10_000n, 600n, 'two+five'],
    ['the sum up to a percentage', { mode: 'SUM', maximumPercent: '1.5' }, 10_001n, 150n, 'two', '2'],
    ['the sum never above the amount', { mode: 'SUM', maximumPercent: '100' }, 100n, 100n, 'two+five'],
    ['one after the other', { mode: 'SEQUENTIAL' }, 10_000n, 700n, 'two+five'],
    ['one after the other, down to nothing', { mode: 'SEQUENTIAL' }, 500n, 500n, 'two+five'],
    ['nothing', { mode: 'SEQUENTIAL', maximum: '0.00' }, 10_000n, undefined],
  ])('%s', (_name, stacking, amountMinor, off, named, rate) => {
    const expected = off === undefined ? undefined : { minor: off, rule: named, rate };
    expect(stacked(stacking, amountMinor, two, five)).toEqual(expected);
  });

  it('each take a part of what the former left, in the order of the document', () => {
    const half: [string, Partial<DiscountDocument>] = ['half', { percent: '50' }];
    expect(stacked({ mode: 'SEQUENTIAL' }, 10_000n, half, ['again', { percent: '50' }])).toMatchObject({ minor: 7_500n });
    expect(stacked({ mode: 'SEQUENTIAL' }, 10_000n, half, five)).toMatchObject({ minor: 5_500n });
    expect(stacked({ mode: 'SEQUENTIAL' }, 10_000n, five, half)).toMatchObject({ minor: 5_250n });
  });
});

const amounts = fc.bigInt({ min: 1n, max: 1_000_000_000n });
const percents = fc.integer({ min: 0, max: 1_000_000 }).map((ppm) => (ppm / 10_000).toFixed(4).replace(/^100\.0+$/, '100'));
const documents: fc.Arbitrary<Partial<DiscountDocument>> = fc
  .record({
    what: fc.oneof(
      percents.map((percent) => ({ percent })),
      amounts.map((fixed) => ({ amount: yuan(fixed) })),
    ),
    more: fc.record({ maximum: amounts.map(yuan), minimumAmount: amounts.map(yuan) }, { requiredKeys: [] }),
    rounding: fc.constantFrom<Rounding>('DOWN', 'HALF_UP', 'HALF_EVEN'),
  })
  .map(({ what, more, rounding }) => ({ ...what, ...more, rounding }));
const stackings: fc.Arbitrary<StackingDocument> = fc.record(
  { mode: fc.constantFrom('BEST', 'SUM', 'SEQUENTIAL'), maximum: amounts.map(yuan), maximumPercent: percents },
  { requiredKeys: ['mode'] },
);

describe('whatever discounts a policy has', () => {
  const run = (stacking: StackingDocument, changes: Partial<DiscountDocument>[], amountMinor: bigint) =>
    stacked(stacking, amountMinor, ...changes.map((change, i): [string, Partial<DiscountDocument>] => [`d${i}`, change]))?.minor ?? 0n;

  it('they take off no more than is paid and than the stacking allows', () => {
    fc.assert(
      fc.property(stackings, fc.array(documents, { maxLength: 6 }), amounts, (stacking, changes, amountMinor) => {
        const off = run(stacking, changes, amountMinor);
        expect(off >= 0n && off <= amountMinor).toBe(true);
        if (stacking.maximum !== undefined) expect(off <= minor(stacking.maximum)).toBe(true);
        if (stacking.maximumPercent !== undefined)
          expect(off <= discountMinor(percentage(stacking.maximumPercent), amountMinor)).toBe(true);
      }),
    );
  });

  it('their sum is no less than what they take one after the other, and that no less than the best', () => {
    const exact = documents.map((change) => ({ ...change, rounding: 'DOWN' as const }));
    fc.assert(
      fc.property(fc.array(exact, { maxLength: 6 }), amounts, (changes, amountMinor) => {
        const [sum, sequence, best] = (['SUM', 'SEQUENTIAL', 'BEST'] as const).map((mode) => run({ mode }, changes, amountMinor));
        expect(sum! >= sequence!).toBe(true);
        // Rounding each step down may lose a minor unit against the best, once for every step.
        expect(sequence! + BigInt(changes.length) >= best!).toBe(true);
      }),
    );
  });

  it('a percentage rounded down is the largest whole amount that is not above the exact one', () => {
    fc.assert(
      fc.property(percents, amounts, (percent, amountMinor) => {
        const off = discountMinor(percentage(percent), amountMinor);
        const ppm = BigInt(Math.round(Number(percent) * 10_000));
        expect(off * 1_000_000n <= amountMinor * ppm && (off + 1n) * 1_000_000n > amountMinor * ppm).toBe(true);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { bestDiscount, discountMinor, discountRule, type Rounding } from './discount.js';

const rule = (percent: string, rounding: Rounding = 'DOWN', id = 'd') =>
  discountRule({ id, percent, rounding, services: [], tiers: ['T'] });

describe('a discount', () => {
  it.each<[minor: bigint, percent: string, rounding: Rounding, expected: bigint]>([
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
  ])('of %s at %s %% rounded %s is %s', (minor, percent, rounding, expected) => {
    expect(discountMinor(rule(percent, rounding), minor)).toBe(expected);
  });

  it('is the best one, not the sum', () => {
    const rules = [rule('1', 'DOWN', 'small'), rule('2', 'DOWN', 'large'), rule('2', 'DOWN', 'late')];
    expect(bestDiscount(rules, 10_000n)).toEqual({ rate: '2', minor: 200n, rule: 'large' });
    expect(bestDiscount(rules, 10n)).toBeUndefined();
    expect(bestDiscount([], 10_000n)).toBeUndefined();
  });
});

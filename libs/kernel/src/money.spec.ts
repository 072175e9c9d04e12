import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMinor, parseMoney, reportedMinorMax } from './money.js';
import type { Refusal } from './refusal.js';

const codeOf = (amount: string, currency: string): string => {
  try {
    parseMoney({ amount, currency });
    return 'accepted';
  } catch (error) {
    return (error as Refusal).code;
  }
};

describe('parseMoney', () => {
  it.each([
    ['199.00', 'CNY', 19_900n],
    ['0', 'CNY', 0n],
    ['8.850', 'EUR', 885n],
    ['500', 'JPY', 500n],
    ['500.00', 'JPY', 500n],
    ['1.234', 'KWD', 1_234n],
    ['0.01', 'USD', 1n],
    ['10000000000000.00', 'CNY', 1_000_000_000_000_000n],
  ])('%s %s', (amount, currency, minor) => {
    expect(parseMoney({ amount, currency })).toEqual({ minor, currency });
  });

  it.each([
    ['1e2', 'CNY', 'amount.malformed'],
    [' 5', 'CNY', 'amount.malformed'],
    ['0x64', 'CNY', 'amount.malformed'],
    ['-1', 'CNY', 'amount.malformed'],
    ['1.', 'CNY', 'amount.malformed'],
    ['.5', 'CNY', 'amount.malformed'],
    ['1,5', 'CNY', 'amount.malformed'],
    ['', 'CNY', 'amount.malformed'],
    ['٥', 'CNY', 'amount.malformed'],
    ['1.001', 'CNY', 'amount.precision'],
    ['1.5', 'JPY', 'amount.precision'],
    ['10000000000000.01', 'CNY', 'amount.too_large'],
    ['1', 'QQQ', 'currency.unknown'],
    ['1', 'cny', 'currency.unknown'],
    ['1', '__proto__', 'currency.unknown'],
  ])('refuses %j %s with %s', (amount, currency, code) => {
    expect(codeOf(amount, currency)).toBe(code);
  });

  it('says where the currency stood that it does not know', () => {
    const fieldOf = (field?: string) => {
      try {
        return parseMoney({ amount: '1', currency: 'QQQ' }, field);
      } catch (error) {
        return (error as Refusal).hints;
      }
    };
    expect([fieldOf(), fieldOf('/amount/amount')]).toEqual([{ field: 'currency' }, { field: '/amount/currency' }]);
  });

  it('of what is only reported takes 18 digits', () => {
    const reported = (amount: string) => parseMoney({ amount, currency: 'CNY' }, 'amount', reportedMinorMax).minor;
    expect(reported('9999999999999999.99')).toBe(999_999_999_999_999_999n);
    expect(() => reported('10000000000000000.00')).toThrow('amount.too_large');
    expect(codeOf('999999999999999999', 'JPY')).toBe('amount.too_large');
  });

  it('reads back exactly what formatMinor wrote', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.constantFrom('CNY', 'JPY', 'KWD', 'CLF'), (minor, currency) => {
        expect(parseMoney({ amount: formatMinor(minor, currency), currency }).minor).toBe(minor);
      }),
    );
  });

  it('writes negative amounts with one minus', () => {
    expect(formatMinor(-5n, 'CNY')).toBe('-0.05');
  });
});

import { describe, expect, it } from 'vitest';
import { groupDigits } from './group-digits.js';

describe('an amount for people', () => {
  it.each([
    ['0.00', '0.00'],
    ['999.00', '999.00'],
    ['1000.00', '1,000.00'],
    ['10000000000000.00', '10,000,000,000,000.00'],
    ['1234567', '1,234,567'],
    ['12345.123', '12,345.123'],
    ['-1000.50', '-1,000.50'],
  ])('%s is written %s', (amount, written) => {
    expect(groupDigits(amount)).toBe(written);
  });
});

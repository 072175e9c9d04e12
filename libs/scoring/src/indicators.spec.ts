import { describe, expect, it } from 'vitest';
import type { Link } from '#consents';
import type { Statement } from '#records';
import { jtiOf, performance, rating, violation } from '#records/testing/records';
import { deriveIndicators, floorDivide, type Indicators } from './indicators.js';

const at = new Date('2026-11-21T08:00:00.000Z');
const day = (n: number) => new Date(at.getTime() + n * 86_400_000);

let n = 0;
function record(iss: string, body: Statement, asOf = at, validUntil = day(90)) {
  const jti = jtiOf(++n);
  return { iss, jti, rootJti: jti, asOf, validUntil, body };
}
const rated = (iss: string, score: number, asOf = at) => record(iss, { kind: 'rating', rating: rating(score) }, asOf);
const paid = (iss: string, ...body: Parameters<typeof performance>) =>
  record(iss, { kind: 'performance', performance: performance(...body) });

describe('indicators', () => {
  const nothing = { openViolations: 0, worstViolation: 0, reportingBanks: 0, inquiries: 0 };
  const rows: [what: string, records: ReturnType<typeof record>[], expected: Indicators][] = [
    ['nothing known', [], nothing],
    ['one rating', [rated('bank-a', 780)], { bankRating: 780, historyMonths: 0, reportingBanks: 1, dataAgeDays: 0 }],
    ['the latest rating of a bank counts', [rated('bank-a', 500), rated('bank-a', 900, day(-31))], { bankRating: 500, historyMonths: 1 }],
    ['two banks: mean and spread', [rated('bank-a', 801), rated('bank-b', 700)], { bankRating: 750, ratingSpread: 101, reportingBanks: 2 }],
    ['a rating past its validity', [record('bank-a', { kind: 'rating', rating: rating(900) }, day(-9), at)], nothing],
    [
      'another scale',
      [record('bank-a', { kind: 'rating', rating: { ...rating(5), scale: { min: 0, max: 10 } } })],
      { bankRating: 650, reportingBanks: 1 },
    ],
    [
      'an account in good order',
      [paid('bank-a', '11', '0.00', '0'.repeat(12) + 'B'.repeat(12))],
      { worstAccount: 0, pastDueShare: 0, lateMonths: 0, monthsSinceLate: 24, historyMonths: 12 },
    ],
    [
      'the worst account counts',
      [paid('bank-a', '11'), paid('bank-b', '78', '250.00', '0021')],
      { worstAccount: 60, pastDueShare: 250, lateMonths: 2, monthsSinceLate: 2 },
    ],
    [
      'charged off',
      [paid('bank-a', '97', '1000.00', 'LG6')],
      { worstAccount: 240, pastDueShare: 1_000, lateMonths: 3, monthsSinceLate: 0 },
    ],
    [
      'violations: how many and how bad',
      [
        record('bank-a', { kind: 'violation', violation: violation('MINOR', at) }),
        record('bank-b', { kind: 'violation', violation: violation('SEVERE', at) }),
      ],
      { ...nothing, openViolations: 2, worstViolation: 3 },
    ],
  ];

  it.each(rows)('of %s', (_what, records, expected) => {
    expect(deriveIndicators(records, [], at)).toMatchObject(expected);
  });

  it('count active links of the last 180 days as inquiries', () => {
    const link = (createdAt: Date, endedAt?: Date) => ({ createdAt, endedAt }) as Link;
    expect(deriveIndicators([], [link(day(-1)), link(day(-179)), link(day(-180)), link(day(-2), at)], at).inquiries).toBe(2);
  });

  it('do not depend on the order of records', () => {
    const records = [rated('bank-a', 801), rated('bank-a', 500), paid('bank-b', '71', '1.00'), paid('bank-b', '11')];
    expect(deriveIndicators([...records].reverse(), [], at)).toEqual(deriveIndicators(records, [], at));
  });

  it.each([
    [7, 2, 3],
    [-7, 2, -4],
    [-8, 2, -4],
    [0, 5, 0],
  ])('%i divided by %i is %i', (value, by, result) => {
    expect(floorDivide(value, by)).toBe(result);
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '#evidence';
import { type IndicatorName, INDICATORS, type Indicators } from './indicators.js';
import { factorsMax, pointsAt, score } from './score.js';
import { type Category, pointsMax } from './scorecard.js';
import { SCORECARD_2026_1 as scorecard } from './scorecard-2026-1.js';

const kinds = fc.constantFrom('INDIVIDUAL' as const, 'MERCHANT' as const);
const indicators: fc.Arbitrary<Indicators> = fc.record(
  Object.fromEntries(INDICATORS.map((name) => [name, fc.integer({ min: 0, max: 2_000 })])) as Record<IndicatorName, fc.Arbitrary<number>>,
  { requiredKeys: [] },
);

describe('the scorecard', () => {
  it('has the hash of its content', () => {
    const { version, categories, hash } = scorecard;
    expect(createHash('sha256').update(canonicalize({ version, categories })).digest('hex')).toBe(hash);
  });

  it('weighs a dozen categories, once each, in shares of 1000', () => {
    expect(scorecard.categories.map(({ indicator }) => indicator)).toEqual(INDICATORS);
    for (const kind of ['INDIVIDUAL', 'MERCHANT'] as const) {
      expect(scorecard.categories.reduce((sum, { weight }) => sum + weight[kind], 0)).toBe(1_000);
    }
  });

  it.each(scorecard.categories)('$indicator runs one way, within 0 and 1000 points', ({ knots, unknown }) => {
    const points = knots.map(([, y]) => y);
    const falling = [...points].sort((a, b) => b - a);
    expect([falling, [...falling].reverse()]).toContainEqual(points);
    expect(knots.map(([x]) => x)).toEqual([...new Set(knots.map(([x]) => x))].sort((a, b) => a - b));
    for (const y of [...points, unknown.points]) expect(y >= 0 && y <= pointsMax).toBe(true);
  });
});

describe('a score', () => {
  it('stays within 350 and 950 and is a whole number', () => {
    fc.assert(
      fc.property(indicators, kinds, (known, kind) => {
        const { value } = score(known, kind, scorecard);
        expect(Number.isInteger(value) && value >= 350 && value <= 950).toBe(true);
      }),
    );
  });

  it('never falls when one indicator gets better', () => {
    fc.assert(
      fc.property(indicators, kinds, fc.constantFrom(...scorecard.categories), fc.nat(1_000), (known, kind, category, step) => {
        const value = known[category.indicator] ?? 0;
        const better = { ...known, [category.indicator]: rises(category) ? value + step : Math.max(0, value - step) };
        const present = { ...known, [category.indicator]: value };
        expect(score(better, kind, scorecard).value).toBeGreaterThanOrEqual(score(present, kind, scorecard).value);
      }),
    );
  });

  it('names at most four factors, and inquiries as a fifth', () => {
    fc.assert(
      fc.property(indicators, kinds, (known, kind) => {
        const { factors } = score(known, kind, scorecard);
        expect(factors.length).toBeLessThanOrEqual(factorsMax + 1);
        if (factors.length > factorsMax) expect(factors.at(-1)?.code).toBe('INQUIRIES');
      }),
    );
  });

  const best: Indicators = {
    bankRating: 950,
    ratingSpread: 0,
    worstAccount: 0,
    pastDueShare: 0,
    lateMonths: 0,
    monthsSinceLate: 24,
    openViolations: 0,
    worstViolation: 0,
    historyMonths: 60,
    reportingBanks: 3,
    dataAgeDays: 0,
    inquiries: 0,
  };
  const newcomer: Indicators = { openViolations: 0, worstViolation: 0, reportingBanks: 0, inquiries: 2 };
  const rated: Indicators = { ...newcomer, bankRating: 820, historyMonths: 0, reportingBanks: 1, dataAgeDays: 0 };
  const examples: [who: string, known: Indicators, value: number, codes: string[]][] = [
    ['the best there can be', best, 950, []],
    ['a newcomer', newcomer, 574, ['NO_BANK_RATING', 'NO_ACCOUNT_REPORTED', 'NO_BALANCE_REPORTED', 'NO_PAYMENT_PROFILE', 'INQUIRIES']],
    [
      'well rated by one bank',
      rated,
      725,
      ['BANK_RATING', 'NO_ACCOUNT_REPORTED', 'NO_BALANCE_REPORTED', 'NO_PAYMENT_PROFILE', 'INQUIRIES'],
    ],
    [
      'the same with a severe violation',
      { ...rated, openViolations: 1, worstViolation: 3 },
      633,
      ['SEVERE_VIOLATION', 'BANK_RATING', 'NO_ACCOUNT_REPORTED', 'OPEN_VIOLATIONS', 'INQUIRIES'],
    ],
  ];

  it.each(examples)('of %s', (_who, known, value, codes) => {
    const result = score(known, 'INDIVIDUAL', scorecard);
    expect([result.value, result.factors.map(({ code }) => code)]).toEqual([value, codes]);
  });
});

describe('points', () => {
  const knots = [
    [0, 1_000],
    [3, 0],
  ] as const;
  it.each([
    [-5, 1_000],
    [0, 1_000],
    [1, 666],
    [2, 333],
    [3, 0],
    [99, 0],
  ])('at %i are %i', (value, points) => {
    expect(pointsAt(knots, value)).toBe(points);
  });
});

function rises({ knots }: Category): boolean {
  return knots.at(-1)![1] > knots[0]![1];
}

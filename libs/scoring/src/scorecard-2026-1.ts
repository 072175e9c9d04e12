import type { Category, Scorecard } from './scorecard.js';

const worth = (individual: number, merchant: number) => ({ INDIVIDUAL: individual, MERCHANT: merchant });

const categories: readonly Category[] = [
  {
    indicator: 'bankRating',
    weight: worth(380, 320),
    knots: [
      [350, 0],
      [950, 1_000],
    ],
    unknown: { points: 200, code: 'NO_BANK_RATING', text: 'no bank has rated the subject' },
    factor: { code: 'BANK_RATING', text: 'bank ratings leave room above' },
  },
  {
    indicator: 'ratingSpread',
    weight: worth(30, 20),
    knots: [
      [0, 1_000],
      [150, 600],
      [400, 0],
    ],
    unknown: { points: 500, code: 'ONE_OPINION', text: 'fewer than two banks have rated the subject' },
    factor: { code: 'RATINGS_DISAGREE', text: 'bank ratings lie far apart' },
  },
  {
    indicator: 'worstAccount',
    weight: worth(90, 90),
    knots: [
      [0, 1_000],
      [30, 600],
      [90, 200],
      [180, 0],
    ],
    unknown: { points: 200, code: 'NO_ACCOUNT_REPORTED', text: 'no account is reported' },
    factor: { code: 'ACCOUNT_LATE', text: 'an account is past due, in collection or charged off' },
  },
  {
    indicator: 'pastDueShare',
    weight: worth(70, 80),
    knots: [
      [0, 1_000],
      [100, 600],
      [500, 100],
      [1_000, 0],
    ],
    unknown: { points: 200, code: 'NO_BALANCE_REPORTED', text: 'no balance is reported' },
    factor: { code: 'AMOUNT_PAST_DUE', text: 'a large part of a balance is past due' },
  },
  {
    indicator: 'lateMonths',
    weight: worth(70, 70),
    knots: [
      [0, 1_000],
      [2, 700],
      [6, 300],
      [24, 0],
    ],
    unknown: { points: 200, code: 'NO_PAYMENT_PROFILE', text: 'no payment history is reported' },
    factor: { code: 'LATE_MONTHS', text: 'payments were late in the last 24 months' },
  },
  {
    indicator: 'monthsSinceLate',
    weight: worth(40, 40),
    knots: [
      [0, 0],
      [6, 400],
      [24, 1_000],
    ],
    unknown: { points: 200, code: 'NO_RECENT_PAYMENTS', text: 'no recent payments are reported' },
    factor: { code: 'RECENTLY_LATE', text: 'the last late payment is recent' },
  },
  {
    indicator: 'openViolations',
    weight: worth(90, 120),
    knots: [
      [0, 1_000],
      [1, 300],
      [3, 0],
    ],
    unknown: { points: 1_000, code: 'NO_VIOLATION', text: 'no violation is reported' },
    factor: { code: 'OPEN_VIOLATIONS', text: 'violations are reported and not cleared' },
  },
  {
    indicator: 'worstViolation',
    weight: worth(90, 120),
    knots: [
      [0, 1_000],
      [1, 500],
      [2, 200],
      [3, 0],
    ],
    unknown: { points: 1_000, code: 'NO_VIOLATION', text: 'no violation is reported' },
    factor: { code: 'SEVERE_VIOLATION', text: 'a reported violation is serious' },
  },
  {
    indicator: 'historyMonths',
    weight: worth(50, 60),
    knots: [
      [0, 200],
      [12, 500],
      [60, 1_000],
    ],
    unknown: { points: 200, code: 'NO_HISTORY', text: 'nothing is known of earlier times' },
    factor: { code: 'SHORT_HISTORY', text: 'the known history is short' },
  },
  {
    indicator: 'reportingBanks',
    weight: worth(30, 30),
    knots: [
      [0, 200],
      [1, 500],
      [3, 1_000],
    ],
    unknown: { points: 200, code: 'FEW_BANKS', text: 'few banks report on the subject' },
    factor: { code: 'FEW_BANKS', text: 'few banks report on the subject' },
  },
  {
    indicator: 'dataAgeDays',
    weight: worth(30, 30),
    knots: [
      [0, 1_000],
      [90, 700],
      [365, 200],
    ],
    unknown: { points: 300, code: 'NO_REPORTS', text: 'nothing is reported yet' },
    factor: { code: 'OLD_DATA', text: 'the newest report is old' },
  },
  {
    indicator: 'inquiries',
    weight: worth(30, 20),
    knots: [
      [0, 1_000],
      [2, 800],
      [6, 200],
      [10, 0],
    ],
    unknown: { points: 1_000, code: 'NO_INQUIRIES', text: 'no new relations with banks' },
    factor: { code: 'INQUIRIES', text: 'many new relations with banks in the last 180 days' },
  },
];

/**
 * The scorecard in force: a dozen categories, for individuals and merchants. Changing a number makes another scorecard: copy it under a new
 * version; the test next to it holds version and hash together.
 */
export const SCORECARD_2026_1: Scorecard = {
  version: '2026.1',
  hash: 'be8f4084bb740ecdf24bd93ed72f9313f3d9dae9181d522c170d01f3ed91090c',
  categories,
};

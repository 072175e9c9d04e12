import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { parseCreditRecord } from './credit-record.js';

const head = {
  iss: 'bank-a',
  sub: 'lnk_k01j8zq4y7x2m3n5p6q7r8s9t0v',
  jti: '01939a6e-7a00-7abc-8def-0123456789ab',
  seq: 7,
  iat: 1_795_248_000,
  asOf: '2026-11-21T08:00:00.000Z',
  validUntil: '2027-02-19T08:00:00Z',
};
const rating = {
  score: 780,
  scale: { min: 350, max: 950 },
  band: 'A',
  factors: [{ code: 'LONG_HISTORY', text: 'long, clean history' }],
  model: { id: 'toy-bank-model', version: '2026.1' },
};
const performance = {
  status: '71',
  balance: { amount: '1200.00', currency: 'CNY' },
  pastDue: { amount: '100.00', currency: 'CNY' },
  paymentProfile: '1'.padEnd(24, '0'),
};
const violation = { code: 'FRAUD', severity: 'SEVERE', evidenceDigest: 'ab'.repeat(32), occurredAt: '2026-11-20T00:00:00Z' };
const other = '01939a6e-7a00-7abc-8def-0123456789ac';

const good: Record<string, object> = {
  rating: { ...head, kind: 'rating', rating },
  performance: { ...head, kind: 'performance', performance },
  violation: { ...head, kind: 'violation', violation },
  clearance: { ...head, kind: 'clearance', clearance: { clears: other } },
  correction: { ...head, kind: 'correction', correction: { replaces: other, rating } },
  withdrawal: { ...head, kind: 'withdrawal', withdrawal: { replaces: other, reason: 'WRONG_PERSON' } },
};

describe('a credit record', () => {
  it.each(Object.keys(good))('%s is read as it was written', (kind) => {
    expect(parseCreditRecord(good[kind])).toEqual(good[kind]);
  });

  const changes: [what: string, kind: string, change: object, code: string, field: string][] = [
    ['an unknown field', 'rating', { note: 'x' }, 'record.malformed', '/note'],
    ['an unknown field inside', 'rating', { rating: { ...rating, secret: 1 } }, 'record.malformed', '/rating/secret'],
    ['the body of another kind', 'rating', { violation }, 'record.malformed', '/violation'],
    ['an unknown kind', 'rating', { kind: 'rumour' }, 'record.malformed', '/kind'],
    ['a random UUID as jti', 'rating', { jti: '6b1e0c7e-1f7b-4f0e-9d5c-0123456789ab' }, 'record.malformed', '/jti'],
    ['an upper-case jti', 'rating', { jti: head.jti.toUpperCase() }, 'record.malformed', '/jti'],
    ['seq 0', 'rating', { seq: 0 }, 'record.malformed', '/seq'],
    ['seq as text', 'rating', { seq: '7' }, 'record.malformed', '/seq'],
    ['a fraction of a second in iat', 'rating', { iat: 1.5 }, 'record.malformed', '/iat'],
    ['a subject of another form', 'rating', { sub: 'sub_k01j8zq4y7x2m3n5p6q7r8s9t0v' }, 'record.malformed', '/sub'],
    ['a local time', 'rating', { asOf: '2026-11-21T08:00:00+08:00' }, 'record.malformed', '/asOf'],
    ['a day that does not exist', 'rating', { asOf: '2026-02-30T08:00:00Z' }, 'record.malformed', '/asOf'],
    ['no validity', 'rating', { validUntil: undefined }, 'record.malformed', '/validUntil'],
    ['six factors', 'rating', { rating: { ...rating, factors: Array(6).fill(rating.factors[0]) } }, 'record.malformed', '/rating/factors'],
    ['a score above its scale', 'rating', { rating: { ...rating, score: 951 } }, 'record.inconsistent', '/rating/score'],
    ['a scale upside down', 'rating', { rating: { ...rating, scale: { min: 950, max: 350 } } }, 'record.inconsistent', '/rating/scale'],
    [
      'an unknown account status',
      'performance',
      { performance: { ...performance, status: '12' } },
      'record.malformed',
      '/performance/status',
    ],
    [
      'money in another form',
      'performance',
      performanceWith({ balance: { amount: '1e2', currency: 'CNY' } }),
      'amount.malformed',
      '/performance/balance/amount',
    ],
    [
      'two currencies',
      'performance',
      performanceWith({ balance: { amount: '1200.00', currency: 'EUR' } }),
      'record.inconsistent',
      '/performance/pastDue/currency',
    ],
    [
      'more past due than owed',
      'performance',
      performanceWith({ balance: { amount: '99.99', currency: 'CNY' } }),
      'record.inconsistent',
      '/performance/pastDue',
    ],
    ['a current account past due', 'performance', performanceWith({ status: '11' }), 'record.inconsistent', '/performance/pastDue'],
    [
      'a delinquent account with nothing past due',
      'performance',
      performanceWith({ pastDue: { amount: '0.00', currency: 'CNY' } }),
      'record.inconsistent',
      '/performance/pastDue',
    ],
    [
      'a paid account with a balance',
      'performance',
      performanceWith({ status: '13', pastDue: { amount: '0', currency: 'CNY' } }),
      'record.inconsistent',
      '/performance/balance',
    ],
    [
      'history before there was any',
      'performance',
      performanceWith({ paymentProfile: `0B0${'B'.repeat(21)}` }),
      'record.inconsistent',
      '/performance/paymentProfile',
    ],
    [
      'a payment profile of other letters',
      'performance',
      performanceWith({ paymentProfile: '7'.padEnd(24, '0') }),
      'record.malformed',
      '/performance/paymentProfile',
    ],
    [
      'an amount of 19 digits',
      'performance',
      performanceWith({ balance: { amount: '10000000000000000.00', currency: 'CNY' } }),
      'amount.too_large',
      '/performance/balance/amount',
    ],
    [
      'a short payment profile',
      'performance',
      performanceWith({ paymentProfile: '000' }),
      'record.malformed',
      '/performance/paymentProfile',
    ],
    ['a correction of two bodies', 'correction', { correction: { replaces: other, rating, violation } }, 'record.malformed', '/correction'],
    ['a correction of nothing', 'correction', { correction: { replaces: other } }, 'record.malformed', '/correction'],
    [
      'a bad body in a correction',
      'correction',
      { correction: { replaces: other, rating: { ...rating, score: 1 } } },
      'record.inconsistent',
      '/correction/rating/score',
    ],
  ];

  it.each(changes)('with %s (%s) is refused', (_what, kind, change, code, field) => {
    const refusal = refusalOf(() => parseCreditRecord({ ...good[kind], ...change }));
    expect([refusal.code, refusal.hints.field]).toEqual([code, field]);
  });
});

function performanceWith(change: object): object {
  return { performance: { ...performance, ...change } };
}

function refusalOf(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('was not refused');
}

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Refusal } from '#kernel';
import { creditRecord, parseCreditRecord } from './credit-record.js';

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

/** Every member of a record and of what is in it, as a path. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [[...path, name], ...pathsOf(inner, [...path, name])]);
}

/** A copy with one member changed; what is undefined is not written. */
function changed(from: unknown, [name, ...rest]: readonly string[], to: unknown): unknown {
  const copy = (Array.isArray(from) ? [...(from as unknown[])] : { ...(from as object) }) as Record<string, unknown>;
  const value = rest.length > 0 ? changed(copy[name!], rest, to) : to;
  // As JSON.parse does: `__proto__` is a member like any other.
  Object.defineProperty(copy, name!, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    '',
    0,
    -1,
    1.5,
    10_001,
    2 ** 53,
    NaN,
    true,
    [],
    {},
    'A',
    'a b',
    'x\n',
    '\ud800',
    '😀',
    '2026-02-29T08:00:00Z',
  ),
  fc.constantFrom(
    '2024-02-29T23:59:59.123456789Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T08:00:00+08:00',
    '2026-11-21',
    'rating',
    'violation',
  ),
  fc.string({ maxLength: 20, unit: 'binary' }),
  fc.integer(),
  fc.constantFrom(rating, performance, violation, head.jti, '1'.repeat(24), Array(6).fill(rating.factors[0])),
);
const spoilt = fc.constantFrom('rating', 'performance', 'violation').chain((kind) => {
  const paths = pathsOf(good[kind]);
  const path = fc.oneof(
    fc.constantFrom(...paths),
    fc
      .tuple(fc.constantFrom([], ...paths), fc.constantFrom('note', 'account', '__proto__', 'toString', '0'))
      .map(([to, name]) => [...to, name]),
  );
  return fc.array(fc.tuple(path, odd), { maxLength: 2 }).map((changes) => {
    const record = changes.reduce<unknown>((from, [where, to]) => changed(from, where, to), good[kind]);
    // What JSON can say, as it is read.
    return JSON.parse(JSON.stringify(record)) as unknown;
  });
});

describe('what is read at a glance', () => {
  it('is what the schema takes, and reads the same', () => {
    fc.assert(
      fc.property(fc.oneof(spoilt, odd), (payload) => {
        const bySchema = creditRecord.safeParse(payload);
        if (!bySchema.success) expect(() => parseCreditRecord(payload)).toThrow(Refusal);
        else expect(readOrRefused(payload)).toEqual(bySchema.data);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each(['rating', 'performance', 'violation'])('are good records of kind %s: the schema is not asked', (kind) => {
    const asked = vi.spyOn(creditRecord, 'safeParse');
    parseCreditRecord(good[kind]);
    expect(asked).not.toHaveBeenCalled();
    parseCreditRecord(good['withdrawal']);
    expect(asked).toHaveBeenCalledOnce();
    asked.mockRestore();
  });
});

/** What the members say of each other is judged after the schema: that refusal is no matter here. */
function readOrRefused(payload: unknown): unknown {
  try {
    return parseCreditRecord(payload);
  } catch (error) {
    if (error instanceof Refusal && error.code !== 'record.malformed') return payload;
    throw error;
  }
}

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

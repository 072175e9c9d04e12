import canonicalizeJson from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize, encodeLogEntry } from './canonical.js';

const reference = canonicalizeJson as unknown as (value: unknown) => string;
const named = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('1', '10', '2', 'toJSON', '__proto__', '\ue000', '😀')), fc.jsonValue());

describe('the canonical form', () => {
  it('is that of the reference, however its names stand', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), named), (value) => {
        const text = reference(value);
        expect([canonicalize(value), canonicalize(JSON.parse(text))]).toEqual([text, text]);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([{ b: undefined, a: 1 }, { a: [undefined, 1] }, { at: new Date(0) }, 'text', null, -0, 1e21])('of %j, too', (value) => {
    expect(canonicalize(value)).toBe(reference(value));
  });

  it.each([undefined, NaN, [Infinity], { a: 1n }])('does not exist for %s', (value) => {
    expect(() => canonicalize(value)).toThrow();
  });
});

it('a log entry names its members in order', () => {
  const fact = {
    shard: 3 as const,
    seq: 7n,
    at: new Date(1_795_248_000_000),
    kind: 'record.accepted',
    subject: 's',
    participant: 'bank-a',
    body: { record: 'rating' },
  };
  const text = Buffer.from(encodeLogEntry(fact)).toString();
  expect(text).toBe(
    '{"at":"2026-11-21T08:00:00.000Z","body":{"record":"rating"},"kind":"record.accepted","participant":"bank-a","seq":"7","shard":3,"subject":"s","v":1}',
  );
});

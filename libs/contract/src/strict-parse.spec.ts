import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseStrictly } from './strict-parse.js';

const schema = z.strictObject({ amount: z.strictObject({ currency: z.string() }), note: z.string().optional() });

describe('parseStrictly', () => {
  it.each<[what: string, input: unknown, field: string, detail: RegExp]>([
    ['a missing field', { amount: {} }, '/amount/currency', /this field is missing$/],
    ['no body', undefined, '', /received undefined$/],
    ['another type', { amount: { currency: 7 } }, '/amount/currency', /expected string, received number/],
    ['null', { amount: null }, '/amount', /received null/],
    ['an unknown field', { amount: { currency: 'CNY', rate: 1 } }, '/amount/rate', /this field is not known here$/],
  ])('says of %s what is wrong and where', (_what, input, field, detail) => {
    expect(() => parseStrictly(schema, input, 'x.malformed')).toThrowError(
      expect.objectContaining({ code: 'x.malformed', hints: { field } }),
    );
    expect(() => parseStrictly(schema, input, 'x.malformed')).toThrowError(detail);
  });
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseStrictly } from './strict-parse.js';

const schema = z.strictObject({ amount: z.strictObject({ currency: z.string() }), note: z.string().optional() });

describe('parseStrictly', () => {
  it.each<[what: string, input: unknown, field: string, detail: RegExp]>([
    ['a missing field', { amount: {} }, '/amount/currency', /this field is missing$/],
    ['no body', undefined, '', /must be an object, not nothing$/],
    ['another type', { amount: { currency: 7 } }, '/amount/currency', /must be text, not a number/],
    ['null', { amount: null }, '/amount', /must be an object, not null/],
    ['an unknown field', { amount: { currency: 'CNY', rate: 1 } }, '/amount/rate', /this field is not known here$/],
  ])('says of %s what is wrong and where', (_what, input, field, detail) => {
    expect(() => parseStrictly(schema, input, 'x.malformed')).toThrowError(
      expect.objectContaining({ code: 'x.malformed', hints: { field } }),
    );
    expect(() => parseStrictly(schema, input, 'x.malformed')).toThrowError(detail);
  });
});

describe('what is wrong with a value', () => {
  const fields = z.strictObject({
    word: z.enum(['A', 'B']),
    one: z.literal('X').optional(),
    kind: z.discriminatedUnion('type', [z.strictObject({ type: z.literal('P') }), z.strictObject({ type: z.literal('Q') })]).optional(),
    either: z.union([z.strictObject({ a: z.int() }), z.strictObject({ b: z.int() })]).optional(),
    number: z.int().min(2).max(5).optional(),
    text: z.string().min(2).max(5).optional(),
    list: z.array(z.string()).min(1).max(2).optional(),
    day: z.iso.date().optional(),
    time: z.iso.datetime().optional(),
    id: z.uuid().optional(),
    address: z.url().optional(),
    link: z.string().startsWith('lnk_').optional(),
    pattern: z.string().regex(/^a$/).optional(),
    own: z.string().regex(/^a$/, 'must be the letter a').optional(),
  });

  it.each<[object, field: string, sentence: string]>([
    [{ word: 'C' }, '/word', 'must be one of A, B'],
    [{}, '/word', 'this field is missing'],
    [{ one: 'Y' }, '/one', 'must be X'],
    [{ kind: { type: 'R' } }, '/kind/type', 'must be one of P, Q'],
    [{ kind: {} }, '/kind/type', 'this field is missing'],
    [{ either: {} }, '/either', 'has none of the forms that are read here'],
    [{ number: 6 }, '/number', 'must be at most 5'],
    [{ number: 1 }, '/number', 'must be at least 2'],
    [{ number: 2.5 }, '/number', 'must be a whole number'],
    [{ number: [] }, '/number', 'must be a number, not a list'],
    [{ text: 'a' }, '/text', 'must have at least 2 characters'],
    [{ text: 'abcdef' }, '/text', 'must have at most 5 characters'],
    [{ list: [] }, '/list', 'must not be empty'],
    [{ list: ['a', 'b', 'c'] }, '/list', 'must have at most 2 entries'],
    [{ list: [true] }, '/list/0', 'must be text, not true or false'],
    [{ day: '2026-02-30' }, '/day', 'must be a day that exists, such as 2026-11-22'],
    [{ time: '2026-11-22' }, '/time', 'must be a time in UTC as in RFC 3339, such as 2026-11-22T08:00:00Z'],
    [{ id: 'x' }, '/id', 'must be a UUID in lower case'],
    [{ address: 'x' }, '/address', 'must be a whole address, such as https://bank.example/events'],
    [{ link: 'x' }, '/link', 'must begin with lnk_'],
    [{ pattern: 'b' }, '/pattern', 'has another form than is read here'],
    [{ own: 'b' }, '/own', 'must be the letter a'],
  ])('%j', (change, field, detail) => {
    const input = { ...('word' in change || field === '/word' ? {} : { word: 'A' }), ...change };
    expect(() => parseStrictly(fields, input, 'x.malformed')).toThrowError(expect.objectContaining({ detail, hints: { field } }));
  });
});

import { expect, it } from 'vitest';
import { z } from 'zod';
import { plainCheck } from './plain-check.js';

it.each([
  ['a form that zod gives no pattern of', z.strictObject({ at: z.url() }), { at: 'https://bank-a.example' }],
  ['a refinement', z.strictObject({ at: z.string().refine((at) => at !== 'x') }), { at: 'y' }],
  ['a transformation', z.strictObject({ at: z.preprocess((at) => at, z.string()) }), { at: 'y' }],
  ['a choice', z.strictObject({ at: z.union([z.string(), z.int()]) }), { at: 'y' }],
  ['members that nobody named', z.looseObject({ at: z.string() }), { at: 'y', more: 1 }],
])('leaves to the schema what has %s', (_what, schema, value) => {
  expect([schema.safeParse(value).success, plainCheck(schema)(value)]).toEqual([true, false]);
});

it('lets pass what the schema would, and nothing beside it', () => {
  const isPlain = plainCheck(z.strictObject({ name: z.string().max(3), count: z.int().min(1), tags: z.array(z.enum(['a'])).max(1) }));
  expect(isPlain({ name: 'abc', count: 1, tags: ['a'] })).toBe(true);
  for (const odd of [{ name: 'abcd' }, { count: 0 }, { tags: ['b'] }, { tags: ['a', 'a'] }, { more: 1 }])
    expect(isPlain({ name: 'abc', count: 1, tags: ['a'], ...odd })).toBe(false);
});

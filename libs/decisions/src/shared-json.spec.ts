import fc from 'fast-check';
import { expect, it } from 'vitest';
import { optionalText, partText, shared, sharedBy } from './shared-json.js';

const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null));
const part = fc.oneof(fc.array(leaf), fc.dictionary(fc.string(), fc.oneof(leaf, fc.array(leaf))));

it('writes what JSON.stringify writes, shared or not, the first time and every time after', () => {
  fc.assert(
    fc.property(part, fc.boolean(), (value, isShared) => {
      if (isShared) shared(value);
      const expected = JSON.stringify(value);
      expect([partText(value), partText(value)]).toEqual([expected, expected]);
    }),
  );
});

it('writes what is there, and nothing where nothing is', () => {
  expect(JSON.parse(`{"first":1${optionalText('second', 'a "b" \\')}${optionalText('third', undefined)}}`)).toEqual({
    first: 1,
    second: 'a "b" \\',
  });
});

it('makes one for each key', () => {
  const made = sharedBy(({ id }: { id: string }) => ({ name: `the ${id}` }));
  const key = { id: 'one' };
  expect(made(key)).toBe(made(key));
  expect(made({ id: 'one' })).not.toBe(made(key));
  expect(made(key)).toEqual({ name: 'the one' });
});

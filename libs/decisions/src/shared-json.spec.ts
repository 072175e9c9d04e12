import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonText, shared, sharedBy } from './shared-json.js';

const part = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(undefined), fc.constant(null));
const whole = fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,12}$/), fc.oneof(part, fc.array(part), fc.dictionary(fc.string(), part)));

it('writes what JSON.stringify writes, the first time and every time after', () => {
  fc.assert(
    fc.property(whole, (value) => {
      for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) shared(inner);
      const expected = JSON.stringify(value);
      expect([jsonText(value), jsonText(value)]).toEqual([expected, expected]);
    }),
  );
});

it('makes one for each key', () => {
  const made = sharedBy(({ id }: { id: string }) => ({ name: `the ${id}` }));
  const key = { id: 'one' };
  expect(made(key)).toBe(made(key));
  expect(made({ id: 'one' })).not.toBe(made(key));
  expect(made(key)).toEqual({ name: 'the one' });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlacedJson } from './json-places.js';

const indents = fc.constantFrom(undefined, 1, '\t', '\r\n');

describe('JSON with places', () => {
  it('reads what JSON.parse reads, and each value begins where its place says', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), indents, (input, indent) => {
        const text = JSON.stringify(input, undefined, indent === '\r\n' ? 2 : indent).replaceAll('\n', indent === '\r\n' ? '\r\n' : '\n');
        const { value, values } = readPlacedJson(text);
        expect(value).toEqual(JSON.parse(text));
        const { line, column } = values.get('')!;
        expect([line, column]).toEqual([1, 1]);
        for (const place of values.values()) {
          expect(text.split('\n')[place.line - 1]![place.column - 1]).toMatch(/["[{0-9tfn-]/);
        }
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', '\\', '0', '-', ' '),
        (input, where, planted) => {
          const text = JSON.stringify(input);
          const at = where % (text.length + 1);
          const changed = text.slice(0, at) + planted + text.slice(at + 1);
          const isJson = accepts(() => JSON.parse(changed));
          expect(accepts(() => readPlacedJson(changed))).toBe(isJson);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

function accepts(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

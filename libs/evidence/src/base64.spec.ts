import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBase64, toBase64 } from './base64.js';

const tryParse = (text: string): Uint8Array | undefined => {
  try {
    return parseBase64(text);
  } catch {
    return undefined;
  }
};

describe('Base 64', () => {
  it('writes what Node writes, of any length, and reads it back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(parseBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
    const long = Uint8Array.from({ length: 100_001 }, (_, i) => i * 7);
    expect(toBase64(long)).toBe(Buffer.from(long).toString('base64'));
    expect(parseBase64(toBase64(long))).toEqual(long);
  });

  it('reads one spelling of each and nothing else', () => {
    const text = fc.string({
      unit: fc.constantFrom('A', 'B', 'Z', 'g', 'w', '/', '+', '=', '-', ' ', '\u0141', '\u{1F600}'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(text, (spelt) => {
        const canonical = Buffer.from(spelt, 'base64').toString('base64') === spelt;
        expect(tryParse(spelt) !== undefined).toBe(canonical);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each(['A', 'AA', 'AAA', 'AAA=A', '=', '==', '====', 'A===', 'AB==', 'AAB=', 'AA==AAAA', 'AA=A', 'AAAA\n'])('refuses %j', (spelt) => {
    expect(() => parseBase64(spelt)).toThrow(/base64\.malformed/);
  });
});

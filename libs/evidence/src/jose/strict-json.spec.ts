import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { decodeBase64Url, encodeBase64Url } from './base64url.js';
import { jsonDepthMax, parseJsonStrict } from './strict-json.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const safeNumber = fc.oneof(fc.maxSafeInteger(), fc.double({ min: -1e15, max: 1e15, noNaN: true }));
const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), safeNumber, fc.boolean(), fc.constant(null));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, leaf, fc.array(tie('value')), fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'))),
}));
const object = fc.dictionary(fc.string({ unit: 'grapheme' }), value);

describe('parseJsonStrict', () => {
  it('reads what JSON.parse reads, where nothing is wrong', () => {
    fc.assert(
      fc.property(object, (input) => {
        const text = JSON.stringify(input);
        expect(parseJsonStrict(bytes(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses a name that stands twice, wherever the object stands and however the name is spelt', () => {
    fc.assert(
      fc.property(object, fc.string({ unit: 'grapheme' }), fc.boolean(), (input, name, escape) => {
        const spelt = escape ? `"${[...name].map(escapeEach).join('')}"` : JSON.stringify(name);
        const text = `{"outer":[${JSON.stringify(input)},{${JSON.stringify(name)}:1,"b":{},${spelt} : 2}]}`;
        fc.pre(name !== 'b');
        expect(() => parseJsonStrict(bytes(text))).toThrow(/stands twice/);
      }),
    );
  });

  it('is not misled by brackets, colons and digits inside strings', () => {
    const text = '{"a":"}{:[],\\"b\\":9007199254740993","b":"\\\\","c":["{","}"]}';
    expect(parseJsonStrict(bytes(text))).toEqual(JSON.parse(text));
  });

  it(`takes ${jsonDepthMax} levels and no more`, () => {
    const nested = (levels: number) => bytes(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
    expect(() => parseJsonStrict(nested(jsonDepthMax))).not.toThrow();
    expect(() => parseJsonStrict(nested(jsonDepthMax + 1))).toThrow(Refusal);
    // So many ran out of stack while they were written again, and no refusal told (2026-11-22).
    for (const levels of [5_000, 10_000]) expect(() => parseJsonStrict(nested(levels))).toThrow(Refusal);
  });

  it('reads at a glance what is written without escapes, with spaces or without, and finds in it what stands twice', () => {
    const plain = fc.stringMatching(/^[ !#-[\]-\ud7ff]*$/);
    const names = fc.uniqueArray(plain, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(names, plain, fc.boolean(), fc.boolean(), (all, text, spaced, inside) => {
        const members = [...all, ...(inside ? [] : [all[0]!])].map((name) => `"${name}":${spaced ? ' ' : ''}["${text}",{"${name}":1}]`);
        const body = `{${members.join(spaced ? ',\n ' : ',')}}`;
        if (inside) expect(parseJsonStrict(bytes(body))).toEqual(JSON.parse(body));
        else expect(() => parseJsonStrict(bytes(body))).toThrow(/stands twice/);
      }),
    );
  });

  it.each(['{"a":9007199254740992}', '{"a":[-9007199254740992]}', '{"a":1e16}', '{"a":"\\ud800"}', '{"\\udc00":1}', '{"b":{"a":1,"a":1}}'])(
    'refuses %s, however plainly it is written',
    (text) => {
      expect(() => parseJsonStrict(bytes(text))).toThrow(Refusal);
      expect(() => parseJsonStrict(bytes(` ${text}`))).toThrow(Refusal);
    },
  );

  it('keeps __proto__ a plain name', () => {
    const read = parseJsonStrict(bytes('{"__proto__":{"admin":true}}'));
    expect(Object.hasOwn(read, '__proto__')).toBe(true);
    expect((read as { admin?: boolean }).admin).toBeUndefined();
  });

  it('refuses with the code it was given', () => {
    expect(() => parseJsonStrict(bytes('[]'), 'record.malformed')).toThrow(/record\.malformed/);
  });
});

describe('base64url', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (input) => {
        expect(new Uint8Array(decodeBase64Url(encodeBase64Url(input), 'part'))).toEqual(input);
      }),
    );
  });

  it('accepts no second spelling of any byte string', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.string(), (input, text) => {
        const canonical = encodeBase64Url(input);
        fc.pre(text !== canonical);
        // Whatever else it accepts must decode to other bytes.
        expect(accepts(text) && Buffer.from(text, 'base64url').equals(Buffer.from(input))).toBe(false);
      }),
    );
  });
});

function escapeEach(char: string): string {
  return Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
}

function accepts(text: string): boolean {
  try {
    decodeBase64Url(text, 'part');
    return true;
  } catch {
    return false;
  }
}

import { describe, expect, it } from 'vitest';
import { formatFactId, formatId, type IdPrefix, SHARDS } from '#kernel';
import { parseSearch } from './parse-search.js';

const uuid = '01939a6e-7a00-7abc-8def-000000000001';

describe('a pasted text', () => {
  it.each<[IdPrefix, string]>([
    ['dec', 'decision'],
    ['rsv', 'reservation'],
    ['sub', 'subject'],
    ['lnk', 'link'],
    ['cns', 'consent'],
    ['dsp', 'dispute'],
    ['evt', 'event'],
    ['rec', 'reconciliation'],
    ['stm', 'reconciliation'],
  ])('%s_… is a %s', (prefix, kind) => {
    const id = { shard: 136, uuid } as const;
    expect(parseSearch(`  ${formatId(prefix, id)}\n`)).toEqual({ kind, id });
  });

  it('is a fact, on every shard', () => {
    for (const shard of SHARDS) expect(parseSearch(formatFactId(shard, 1042n))).toEqual({ kind: 'fact', shard, seq: 1042n });
  });

  it.each<[string, object]>([
    [uuid, { kind: 'uuid', uuid }],
    [uuid.toUpperCase(), { kind: 'uuid', uuid }],
    ['ORDER-2026/11-0001', { kind: 'reference', reference: 'ORDER-2026/11-0001' }],
    ['a reference (with spaces)', { kind: 'reference', reference: 'a reference (with spaces)' }],
  ])('%s', (text, key) => {
    expect(parseSearch(text)).toEqual(key);
  });

  it.each(['', '   ', 'x'.repeat(36), '<script>', `dec_${'u'.repeat(27)}`, 'fct_u1', "'; DROP TABLE facts; --"])(
    'is refused: %s',
    (text) => {
      expect(() => parseSearch(text)).toThrow(expect.objectContaining({ kind: 'malformed' }));
    },
  );
});

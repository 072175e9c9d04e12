import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFactId, formatId, isUuid, parseId, uuidV7 } from './ids.js';
import type { Refusal } from './refusal.js';
import { SHARDS, shardOf } from './shard.js';

describe('ids', () => {
  it('every shard and UUID survives the way out and in', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.constantFrom(...SHARDS), (uuid, shard) => {
        expect(parseId('dec', formatId('dec', { shard, uuid }))).toEqual({ shard, uuid });
      }),
    );
  });

  it.each([
    '',
    'dec_',
    'sub_k01j8zq0000000000000000000',
    'dec_k01J8ZQ',
    'dec_0' + 'z'.repeat(26),
    'dec_u' + '0'.repeat(26),
    'dec_0' + '0'.repeat(27),
  ])('refuses %j', (text) => {
    expect(() => parseId('dec', text)).toThrowError(expect.objectContaining({ code: 'id.malformed' }) as Refusal);
  });

  it('a UUIDv7 carries its millisecond, version and variant, and sorts by time', () => {
    const random = new Uint8Array(10).fill(0xff);
    const early = uuidV7(1_700_000_000_000, random);
    const late = uuidV7(1_700_000_000_001, new Uint8Array(10));
    expect(isUuid(early)).toBe(true);
    expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
    expect(parseInt(early.replace('-', '').slice(0, 12), 16)).toBe(1_700_000_000_000);
    expect(early < late).toBe(true);
  });

  it('a fact is named by its place', () => {
    expect(formatFactId(0, 42n)).toBe('fct_042');
    expect(formatFactId(136, 7n)).toBe('fct_z7');
  });
});

describe('shards', () => {
  it('never change: these values are in databases', () => {
    expect(shardOf('bank-a')).toBe(shardOf('bank-a'));
    expect(['bank-a', 'bank-b', '018f2f6e-0000-7000-8000-000000000001'].map(shardOf)).toMatchInlineSnapshot(`
      [
        36,
        16,
        28,
      ]
    `);
  });

  it('spread UUIDs evenly', () => {
    const counts = new Map<number, number>();
    for (let i = 0; i < 32_000; i++) {
      const shard = shardOf(uuidV7(1_700_000_000_000 + i, crypto.getRandomValues(new Uint8Array(10))));
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }
    expect(counts.size).toBe(32);
    for (const count of counts.values()) expect(count).toBeGreaterThan(800);
  });

  it('spread near-equal names too', () => {
    expect(new Set(Array.from({ length: 1_000 }, (_, i) => shardOf(`bank-${i}`))).size).toBe(32);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SHARDS, type Shard } from '#kernel';
import { formatCursor, mergePage, parseCursor } from './page-cursor.js';

interface Row {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: Date;
}

/** What a shard offers below a place, newest first, one more than a page so that the last page is known as such. */
const offer = (all: readonly Row[], below: ReadonlyMap<Shard, bigint>, rowsMax: number): Row[] =>
  SHARDS.flatMap((shard) =>
    all
      .filter((row) => row.shard === shard && row.seq < below.get(shard)!)
      .sort((a, b) => Number(b.seq - a.seq))
      .slice(0, rowsMax + 1),
  );

const start = new Map(SHARDS.map((shard) => [shard, 1_000_000n]));

/** Any number of rows per shard, numbered without gaps, in time that may stand still but never runs back. */
const ledgers = fc
  .array(fc.tuple(fc.constantFrom(...SHARDS.slice(0, 4)), fc.integer({ min: 0, max: 3 })), { maxLength: 60 })
  .map((steps) => {
    let at = 0;
    const seqs = new Map<Shard, bigint>();
    return steps.map(([shard, pause]): Row => {
      seqs.set(shard, (seqs.get(shard) ?? 0n) + 1n);
      return { shard, seq: seqs.get(shard)!, at: new Date((at += pause)) };
    });
  });

describe('a list merged from all shards', () => {
  it('shows every row once, newest first, whatever the page size', () => {
    fc.assert(
      fc.property(ledgers, fc.integer({ min: 1, max: 7 }), (all, rowsMax) => {
        const shown: Row[] = [];
        for (let cursor: string | null = formatCursor(start); cursor !== null;) {
          const from = parseCursor(cursor);
          const page: { rows: Row[]; next: string | null } = mergePage(offer(all, from, rowsMax), from, rowsMax);
          shown.push(...page.rows);
          cursor = page.next;
        }
        expect(shown).toHaveLength(all.length);
        expect(new Set(shown.map(({ shard, seq }) => `${shard}/${seq}`)).size).toBe(all.length);
        const times = shown.map(({ at }) => at.getTime());
        expect(times).toEqual([...times].sort((a, b) => b - a));
      }),
    );
  });

  it('reads back the place it wrote, and nothing else', () => {
    const cursor = new Map(SHARDS.map((shard, i) => [shard, 2n ** BigInt(i * 2)]));
    expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
    for (const text of ['', '1.2.3', `${formatCursor(start)}.1`, formatCursor(start).replace('.', ';')]) {
      expect(() => parseCursor(text)).toThrow(expect.objectContaining({ code: 'cursor.malformed' }));
    }
  });
});

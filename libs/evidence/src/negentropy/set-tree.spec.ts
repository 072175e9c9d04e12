import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../crypto/node-crypto.js';
import { NaiveItems, packed } from '../testing/naive-items.js';
import { naiveLeaf, naiveRoot } from '../testing/naive-tree.js';
import { END, type Item } from './bound.js';
import { SetTree } from './set-tree.js';
import { sortedRoot } from './sorted-root.js';

const hashed = (n: number): Uint8Array => createHash('sha256').update(String(n)).digest();
/** Ids that differ late, whose words carry, and hashes. */
const id = fc.oneof(
  fc.nat(50).map((n) => new Uint8Array(32).fill(0xff, 0, 31).fill(n, 31)),
  fc.nat(50).map((n) => new Uint8Array(32).fill(n, 0, 1)),
  fc.nat(100_000).map(hashed),
);
const items = fc.uniqueArray(fc.record({ timestamp: fc.nat(20), id }), {
  maxLength: 1_500,
  size: 'max',
  selector: (item: Item) => `${item.timestamp} ${Buffer.from(item.id).toString('hex')}`,
});

function expectSame(tree: SetTree, naive: NaiveItems, probes: readonly Item[]): void {
  expect(tree.size).toBe(naive.size);
  expect(Buffer.from(tree.ids(0, tree.size)).equals(Buffer.from(naive.ids(0, naive.size)))).toBe(true);
  for (const { timestamp, id } of probes) {
    for (const length of [0, 1, 31, 32]) {
      const bound = { timestamp, prefix: id.subarray(0, length) };
      const [rank, other] = [tree.rank(bound), (tree.size * id[7]!) >> 8];
      expect(rank).toBe(naive.rank(bound));
      const [from, to] = rank < other ? [rank, other] : [other, rank];
      expect(Buffer.from(tree.sum(from, to)).toString('hex')).toBe(Buffer.from(naive.sum(from, to)).toString('hex'));
      expect(Buffer.from(tree.ids(from, to)).equals(Buffer.from(naive.ids(from, to)))).toBe(true);
      if (rank < tree.size) expect(tree.at(rank)).toEqual({ timestamp: naive.at(rank).timestamp, id: new Uint8Array(naive.at(rank).id) });
    }
  }
  expect(tree.rank(END)).toBe(tree.size);
}

describe('the tree of a set', () => {
  it('tells ranks, items and sums as a sorted list does', () => {
    fc.assert(
      fc.property(items, fc.array(fc.record({ timestamp: fc.nat(21), id }), { maxLength: 5 }), (all, probes) => {
        expectSame(SetTree.empty.with(packed(all)), new NaiveItems(all), probes);
      }),
      { numRuns: 25 },
    );
  });

  it('goes forth and back, and no earlier tree is changed by it', () => {
    fc.assert(
      fc.property(items, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const cut = Math.floor(all.length * share);
        const [early, late] = [all.slice(0, cut), all.slice(cut)];
        const before = SetTree.empty.with(packed(early));
        const after = before.with(packed(late));
        const back = after.without(packed(late));
        expectSame(before, new NaiveItems(early), early.slice(0, 3));
        expectSame(after, new NaiveItems(all), late.slice(0, 3));
        expectSame(back, new NaiveItems(early), all.slice(0, 3));
        expectSame(back.with(packed(late)), new NaiveItems(all), early.slice(0, 3));
      }),
      { numRuns: 25 },
    );
  });

  it('takes an item once, and keeps its first place', () => {
    const all = Array.from({ length: 200 }, (_, n) => ({ timestamp: n % 3, id: hashed(n) }));
    const tree = SetTree.empty.with(packed(all)).with(packed(all.toReversed()));
    expectSame(tree, new NaiveItems(all), all.slice(0, 5));
    const places = [...tree.leaves()].flatMap((leaf) =>
      Array.from({ length: leaf.count }, (_, i) => [Buffer.from(leaf.id(i)).toString('hex'), leaf.places[i]]),
    );
    expect(new Map(places as [string, number][])).toEqual(new Map(all.map(({ id }, n) => [Buffer.from(id).toString('hex'), n])));
  });

  it('has the RFC 6962 root over the sorted ids, whatever their times', async () => {
    for (const count of [0, 1, 2, 7, 300]) {
      const all = Array.from({ length: count }, (_, n) => ({ timestamp: (n * 7) % 5, id: hashed(n) }));
      // Ids that share their first bytes, as a hostile issuer could make them.
      all.push(
        ...Array.from({ length: count }, (_, n) => ({ timestamp: n, id: new Uint8Array(32).fill(n & 0xff, 20).fill(n >> 8, 10, 11) })),
      );
      const sorted = all.map(({ id }) => Buffer.from(id)).sort((a, b) => Buffer.compare(a, b));
      const unique = sorted.filter((one, i) => i === 0 || !one.equals(sorted[i - 1]!));
      const tree = SetTree.empty.with(packed(all.filter((item, i) => all.findIndex(({ id }) => Buffer.from(id).equals(item.id)) === i)));
      expect(Buffer.from(await sortedRoot(nodeCrypto, tree)).toString('hex')).toBe(
        Buffer.from(naiveRoot(unique.map(naiveLeaf))).toString('hex'),
      );
    }
  });
});

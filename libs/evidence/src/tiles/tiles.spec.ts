import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../crypto/node-crypto.js';
import { Prover } from '../merkle/prove.js';
import { naivePath, naiveRoot, numberedLeaves } from '../testing/naive-tree.js';
import { GrowingTree } from './growing-tree.js';
import { TileNodes } from './tile-nodes.js';
import { encodeEntryBundle, grownTiles, hashesAtLevel, parseEntryBundle, tilePath } from './tile.js';

describe('the paths of c2sp.org/tlog-tiles', () => {
  it.each([
    [{ level: 0, index: 1234067n, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 0, index: 0n, width: 256 }, 'tile/0/000'],
    [{ level: 1, index: 999n, width: 17 }, 'tile/1/999.p/17'],
    [{ level: 'entries' as const, index: 1000n, width: 1 }, 'tile/entries/x001/000.p/1'],
  ])('%o is %s', (tile, path) => expect(tilePath(tile)).toBe(path));

  it('a tree of 70,000 has the tiles of the specification’s example', () => {
    const tiles = (level: number) => [...grownTiles(level, 0n, 70_000n)];
    expect(tiles(0)).toHaveLength(274);
    expect(tiles(0).at(-1)).toEqual({ level: 0, index: 273n, width: 112 });
    expect(tiles(1).map(({ width }) => width)).toEqual([256, 17]);
    expect(tiles(2)).toEqual([{ level: 2, index: 0n, width: 1 }]);
    expect(tiles(3)).toEqual([]);
  });

  it('a tree of 256 has one full tile and one partial tile of width 1', () => {
    expect([...grownTiles(0, 255n, 256n)]).toEqual([{ level: 0, index: 0n, width: 256 }]);
    expect([...grownTiles(1, 255n, 256n)]).toEqual([{ level: 1, index: 0n, width: 1 }]);
  });
});

describe('entry bundles', () => {
  it('have the length in 16 bits, big-endian', () => {
    expect(encodeEntryBundle([Uint8Array.of(7, 8), new Uint8Array()])).toEqual(Uint8Array.of(0, 2, 7, 8, 0, 0));
    const long = new Uint8Array(300).fill(5);
    expect(parseEntryBundle(encodeEntryBundle([long, Uint8Array.of(1)]))).toEqual([long, Uint8Array.of(1)]);
  });

  it('refuse an entry that does not fit and a bundle that is cut off', () => {
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(/log\.entry_too_large/);
    expect(() => parseEntryBundle(Uint8Array.of(0, 3, 1, 2))).toThrow(/tile\.malformed/);
    expect(() => parseEntryBundle(Uint8Array.of(0))).toThrow(/tile\.malformed/);
  });
});

describe('a growing tree', () => {
  it('has the naive root however it is cut into batches and restored, and its tiles prove every leaf', async () => {
    const leaves = numberedLeaves(1200);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }), fc.nat(), async (batches, pick) => {
        const stored: Uint8Array[][] = [[]];
        let tree = GrowingTree.restore(nodeCrypto, 0n, []);
        let size = 0;
        for (const count of batches) {
          const batch = leaves.slice(size, (size += Math.min(count, 1200 - size)));
          stored[0]!.push(...batch);
          for (const node of await tree.append(batch)) (stored[node.level] ??= [])[Number(node.index)] = node.hash;
          const edge = stored.map((hashes, level) => hashes.slice(Math.floor(Number(hashesAtLevel(BigInt(size), level)) / 256) * 256));
          tree = GrowingTree.restore(nodeCrypto, BigInt(size), edge);
        }
        expect(Buffer.from(await tree.root())).toEqual(Buffer.from(naiveRoot(leaves.slice(0, size))));
        const hashes = {
          readHashes: (level: number, first: bigint, count: number) =>
            Promise.resolve(new Uint8Array(Buffer.concat(stored[level]!.slice(Number(first), Number(first) + count)))),
        };
        const prover = new Prover(nodeCrypto, new TileNodes(nodeCrypto, hashes));
        const proof = await prover.inclusion(BigInt(pick % size), BigInt(size));
        expect(proof.map((hash) => Buffer.from(hash))).toEqual(
          naivePath(pick % size, leaves.slice(0, size)).map((hash) => Buffer.from(hash)),
        );
      }),
      { numRuns: 25 },
    );
  });
});

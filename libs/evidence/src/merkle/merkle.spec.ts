import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../crypto/node-crypto.js';
import { webCrypto } from '../crypto/web-crypto.js';
import { naiveConsistency, naiveNodes, naivePath, naiveRoot, numberedLeaves } from '../testing/naive-tree.js';
import { Prover } from './prove.js';
import { CompactTree, leafHash, perfectSubtrees } from './tree-hash.js';
import { RangeVerifier, verifyConsistency, verifyInclusion } from './verify.js';

const VECTORS = path.resolve('../shared/data/vectors/merkle');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const base64 = (text: string | null) => new Uint8Array(Buffer.from(text ?? '', 'base64'));

function vectors(kind: string): [string, Record<string, never>][] {
  const folder = path.join(VECTORS, kind);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  return names.map((name) => [name, JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Record<string, never>]);
}

describe.skipIf(!existsSync(VECTORS))('the vectors of transparency-dev (skipped where ../shared/data is absent)', () => {
  it.each(vectors('inclusion'))('inclusion %s', async (_name, vector: Record<string, unknown>) => {
    const claim = {
      index: BigInt(vector['leafIdx'] as number),
      size: BigInt(vector['treeSize'] as number),
      leaf: base64(vector['leafHash'] as string),
      root: base64(vector['root'] as string),
      path: ((vector['proof'] ?? []) as string[]).map(base64),
    };
    const verdict = await verifyInclusion(nodeCrypto, claim).then(
      () => 'good',
      (error: { code: string }) => error.code,
    );
    expect(verdict).toMatch(vector['wantErr'] === true ? /^proof\./ : /^good$/);
  });

  it.each(vectors('consistency'))('consistency %s', async (_name, vector: Record<string, unknown>) => {
    const claim = {
      oldSize: BigInt(vector['size1'] as number),
      newSize: BigInt(vector['size2'] as number),
      oldRoot: base64(vector['root1'] as string),
      newRoot: base64(vector['root2'] as string),
      proof: ((vector['proof'] ?? []) as string[]).map(base64),
    };
    const verdict = await verifyConsistency(nodeCrypto, claim).then(
      () => 'good',
      (error: { code: string }) => error.code,
    );
    expect(verdict).toMatch(vector['wantErr'] === true ? /^proof\./ : /^good$/);
  });
});

describe('known answers of RFC 6962', () => {
  it('the empty tree is SHA-256 of nothing, an empty leaf is SHA-256 of 0x00', async () => {
    expect(hex(await new CompactTree(nodeCrypto).root())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(await leafHash(nodeCrypto, new Uint8Array()))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  });

  it.each([
    [0n, 7n, ['2:0', '1:2', '0:6']],
    [5n, 8n, ['0:5', '1:3']],
    [3n, 13n, ['0:3', '2:1', '2:2', '0:12']],
    [4n, 4n, []],
  ])('[%i, %i) is cut into %j', (start, end, expected) => {
    expect([...perfectSubtrees(start, end)].map(({ level, index }) => `${level}:${index}`)).toEqual(expected);
  });
});

describe.each([
  ['node:crypto', nodeCrypto],
  ['WebCrypto', webCrypto],
])('against the naive tree, on %s', (_name, crypto) => {
  const shape = fc.tuple(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat());

  it('roots and inclusion proofs agree and verify; a changed proof does not', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ([size, a, bit]) => {
        const leaves = numberedLeaves(size);
        const index = a % size;
        const prover = new Prover(crypto, naiveNodes(leaves));
        const proof = await prover.inclusion(BigInt(index), BigInt(size));
        expect(proof.map(hex)).toEqual(naivePath(index, leaves).map(hex));
        const root = await prover.root(BigInt(size));
        expect(hex(root)).toBe(hex(naiveRoot(leaves)));
        const claim = { index: BigInt(index), size: BigInt(size), leaf: leaves[index]!, root, path: proof };
        await verifyInclusion(crypto, claim);
        await expect(verifyInclusion(crypto, { ...claim, leaf: flip(claim.leaf, bit) })).rejects.toMatchObject({ code: 'proof.mismatch' });
      }),
      { numRuns: 60 },
    );
  });

  it('consistency proofs agree and verify; another old root does not', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ([newSize, a, bit]) => {
        const leaves = numberedLeaves(newSize);
        const oldSize = 1 + (a % newSize);
        const proof = await new Prover(crypto, naiveNodes(leaves)).consistency(BigInt(oldSize), BigInt(newSize));
        expect(proof.map(hex)).toEqual(naiveConsistency(oldSize, leaves).map(hex));
        const oldRoot = naiveRoot(leaves.slice(0, oldSize));
        const claim = { oldSize: BigInt(oldSize), newSize: BigInt(newSize), oldRoot, newRoot: naiveRoot(leaves), proof };
        await verifyConsistency(crypto, claim);
        const forked = { ...claim, oldRoot: flip(oldRoot, bit) };
        await expect(verifyConsistency(crypto, forked)).rejects.toMatchObject({ code: 'proof.mismatch' });
      }),
      { numRuns: 60 },
    );
  });

  it('a range and what stands outside it lead to the root; a changed, missing or extra leaf does not', async () => {
    await fc.assert(
      fc.asyncProperty(shape, fc.nat(), async ([size, a, b], bit) => {
        const leaves = numberedLeaves(size);
        const [start, end] = [a % (size + 1), b % (size + 1)].sort((x, y) => x - y) as [number, number];
        const range = { start: BigInt(start), end: BigInt(end), size: BigInt(size) };
        const proof = await new Prover(crypto, naiveNodes(leaves)).range(range.start, range.end, range.size);
        const check = async (inside: readonly Uint8Array[]) => {
          const verifier = await RangeVerifier.start(crypto, range, proof);
          for (const leaf of inside) await verifier.append(leaf);
          await verifier.finish(naiveRoot(leaves));
        };
        const inside = leaves.slice(start, end);
        await check(inside);
        await expect(check([...inside, leaves[0]!])).rejects.toMatchObject({ code: 'proof.malformed' });
        if (inside.length === 0) return;
        await expect(check(inside.slice(1))).rejects.toMatchObject({ code: 'proof.malformed' });
        const changed = inside.map((leaf, i) => (i === bit % inside.length ? flip(leaf, bit) : leaf));
        await expect(check(changed)).rejects.toMatchObject({ code: 'proof.mismatch' });
      }),
      { numRuns: 60 },
    );
  });
});

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7);
  return changed;
}

import { createHash } from 'node:crypto';
import type { NodeReader } from '../merkle/prove.js';

const sha256 = (...parts: Uint8Array[]) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());

export const naiveLeaf = (entry: Uint8Array) => sha256(Uint8Array.of(0), entry);

/** MTH of RFC 6962 §2.1, word for word over leaf hashes: slow and obviously right. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0]!;
  const k = naiveSplit(leaves.length);
  return sha256(Uint8Array.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

/** PATH(m, D) of RFC 6962 §2.1.1. */
export function naivePath(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length <= 1) return [];
  const k = naiveSplit(leaves.length);
  return m < k
    ? [...naivePath(m, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naivePath(m - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
}

/** SUBPROOF(m, D, b) of RFC 6962 §2.1.2. */
export function naiveConsistency(m: number, leaves: readonly Uint8Array[], whole = true): Uint8Array[] {
  if (m === leaves.length) return whole ? [] : [naiveRoot(leaves)];
  const k = naiveSplit(leaves.length);
  return m <= k
    ? [...naiveConsistency(m, leaves.slice(0, k), whole), naiveRoot(leaves.slice(k))]
    : [...naiveConsistency(m - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))];
}

export function naiveNodes(leaves: readonly Uint8Array[]): NodeReader {
  return {
    read: ({ level, index }) => {
      const count = 2 ** level;
      return Promise.resolve(naiveRoot(leaves.slice(Number(index) * count, (Number(index) + 1) * count)));
    },
  };
}

function naiveSplit(count: number): number {
  let k = 1;
  while (2 * k < count) k *= 2;
  return k;
}

export const numberedLeaves = (count: number) => Array.from({ length: count }, (_, i) => naiveLeaf(Buffer.from(`leaf ${i}`)));

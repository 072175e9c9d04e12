import type { CryptoPort } from '../crypto/crypto-port.js';

/** The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1.1): SHA-256, with 0x00 before a leaf and 0x01 before two nodes. */
export const hashBytes = 32;

export function leafHash(crypto: CryptoPort, entry: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const input = new Uint8Array(1 + entry.length);
  input.set(entry, 1);
  return crypto.sha256(input);
}

export function nodeHash(crypto: CryptoPort, left: Uint8Array, right: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const input = new Uint8Array(1 + 2 * hashBytes);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + hashBytes);
  return crypto.sha256(input);
}

/** A subtree of 2^level leaves that starts at leaf `index * 2^level`. */
export interface PerfectSubtree {
  readonly level: number;
  readonly index: bigint;
}

/** Cuts the leaves [start, end) into the fewest perfect subtrees, left to right. */
export function* perfectSubtrees(start: bigint, end: bigint): Generator<PerfectSubtree> {
  for (let at = start; at < end;) {
    const fits = bitLength(end - at) - 1;
    const level = at === 0n ? fits : Math.min(fits, trailingZeros(at));
    yield { level, index: at >> BigInt(level) };
    at += 1n << BigInt(level);
  }
}

/** The largest power of two below `count` (RFC 6962's k); `count` is 2 or more. */
export function splitPoint(count: bigint): bigint {
  return 1n << BigInt(bitLength(count - 1n) - 1);
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

function trailingZeros(value: bigint): number {
  return bitLength(value & -value) - 1;
}

/**
 * Grows a tree from the left, one perfect subtree after another, keeping only the hashes on its right edge: constant memory for
 * any number of leaves. Every root of a range or a prefix in this product is computed by it.
 */
export class CompactTree {
  private readonly edge: { level: number; hash: Uint8Array }[] = [];

  constructor(private readonly crypto: CryptoPort) {}

  /** Adds the subtree of 2^level leaves that follows the leaves already here. */
  async append(hash: Uint8Array, level = 0): Promise<void> {
    let node = { level, hash };
    for (let last = this.edge.at(-1); last?.level === node.level; last = this.edge.at(-1)) {
      this.edge.pop();
      node = { level: node.level + 1, hash: await nodeHash(this.crypto, last.hash, node.hash) };
    }
    this.edge.push(node);
  }

  /** The root of all leaves so far; of none, SHA-256 of nothing. */
  async root(): Promise<Uint8Array> {
    let root: Uint8Array | undefined;
    for (const { hash } of this.edge.toReversed()) root = root ? await nodeHash(this.crypto, hash, root) : hash;
    return root ?? this.crypto.sha256(new Uint8Array());
  }
}

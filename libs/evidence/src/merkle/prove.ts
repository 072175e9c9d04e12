import { invariant } from '#kernel';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { CompactTree, perfectSubtrees, type PerfectSubtree, splitPoint } from './tree-hash.js';

/** Where the hashes of perfect subtrees come from: tiles, a database, memory. */
export interface NodeReader {
  read(subtree: PerfectSubtree): Promise<Uint8Array>;
}

/** What stands outside a consecutive range of leaves: the fewest subtree hashes before and after it. */
export interface RangeProof {
  readonly left: readonly Uint8Array[];
  readonly right: readonly Uint8Array[];
}

/** Makes proofs of RFC 9162 §2.1.3 and §2.1.4 about one tree. */
export class Prover {
  constructor(
    private readonly crypto: CryptoPort,
    private readonly nodes: NodeReader,
  ) {}

  root(size: bigint): Promise<Uint8Array> {
    return this.subtreeRoot(0n, size);
  }

  /** PATH(index, D[size]): the sibling of the leaf first, the child of the root last. */
  inclusion(index: bigint, size: bigint): Promise<Uint8Array[]> {
    invariant(0n <= index && index < size, 'a proven leaf stands in the tree');
    const siblings: [bigint, bigint][] = [];
    for (let [from, to] = [0n, size]; to - from > 1n;) {
      const middle = from + splitPoint(to - from);
      siblings.push(index < middle ? [middle, to] : [from, middle]);
      if (index < middle) to = middle;
      else from = middle;
    }
    return this.roots(siblings.reverse());
  }

  /** PROOF(oldSize, D[newSize]); empty when the sizes are equal. The old tree has at least one leaf. */
  consistency(oldSize: bigint, newSize: bigint): Promise<Uint8Array[]> {
    invariant(0n < oldSize && oldSize <= newSize, 'a log only grows');
    const parts: [bigint, bigint][] = [];
    let [from, to] = [0n, newSize];
    while (to !== oldSize) {
      const middle = from + splitPoint(to - from);
      parts.push(oldSize <= middle ? [middle, to] : [from, middle]);
      if (oldSize <= middle) to = middle;
      else from = middle;
    }
    if (from > 0n) parts.push([from, to]);
    return this.roots(parts.reverse());
  }

  async range(start: bigint, end: bigint, size: bigint): Promise<RangeProof> {
    invariant(0n <= start && start <= end && end <= size, 'a proven range stands in the tree');
    return { left: await this.read(perfectSubtrees(0n, start)), right: await this.read(perfectSubtrees(end, size)) };
  }

  private async roots(ranges: readonly [bigint, bigint][]): Promise<Uint8Array[]> {
    const hashes: Uint8Array[] = [];
    for (const [from, to] of ranges) hashes.push(await this.subtreeRoot(from, to));
    return hashes;
  }

  private async read(subtrees: Iterable<PerfectSubtree>): Promise<Uint8Array[]> {
    const hashes: Uint8Array[] = [];
    for (const subtree of subtrees) hashes.push(await this.nodes.read(subtree));
    return hashes;
  }

  private async subtreeRoot(from: bigint, to: bigint): Promise<Uint8Array> {
    const tree = new CompactTree(this.crypto);
    for (const subtree of perfectSubtrees(from, to)) await tree.append(await this.nodes.read(subtree), subtree.level);
    return tree.root();
  }
}

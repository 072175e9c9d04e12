import { invariant } from '#kernel';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { CompactTree, nodeHash } from '../merkle/tree-hash.js';
import { hashesAtLevel, tileHeight, tileWidth } from './tile.js';

/** The hash of a full tile: what the level above stores about it. */
export interface StoredNode {
  readonly level: number;
  readonly index: bigint;
  readonly hash: Uint8Array;
}

/**
 * The right edge of the tiled tree: per level the hashes of the tile that is still filling. It is all a writer needs to append leaves
 * and know the root; 255 hashes per level at most.
 */
export class GrowingTree {
  private constructor(
    private readonly crypto: CryptoPort,
    private leaves: bigint,
    private readonly edge: Uint8Array[][],
  ) {}

  /** `edge[level]` holds the hashes of that level's partial tile for a tree of `size` leaves. */
  static restore(crypto: CryptoPort, size: bigint, edge: readonly (readonly Uint8Array[])[]): GrowingTree {
    edge.forEach((hashes, level) => {
      const expected = Number(hashesAtLevel(size, level) % BigInt(tileWidth));
      invariant(hashes.length === expected, `level ${level} of a tree of ${size} leaves ends in a tile of ${expected} hashes`);
    });
    invariant(hashesAtLevel(size, edge.length) === 0n, 'the edge reaches the top');
    return new GrowingTree(
      crypto,
      size,
      edge.map((hashes) => [...hashes]),
    );
  }

  get size(): bigint {
    return this.leaves;
  }

  /** Appends leaves in order; returns the nodes of levels 1 and up that they completed. */
  async append(leafHashes: readonly Uint8Array[]): Promise<StoredNode[]> {
    const completed: StoredNode[] = [];
    for (const hash of leafHashes) {
      this.leaves += 1n;
      // Nearly always there is nothing to wait for, and waiting for nothing is what would cost the most.
      const completing = this.store(0, hash, completed);
      if (completing) await completing;
    }
    return completed;
  }

  /** Appends a tile of leaves of which the hash over them is known, to a tree that ends with a whole one; returns what it completed. */
  async appendTile(root: Uint8Array): Promise<StoredNode[]> {
    const edge = (this.edge[0] ??= []);
    invariant(edge.length === 0, 'a whole tile follows whole tiles');
    this.leaves += BigInt(tileWidth);
    const completed: StoredNode[] = [{ level: 1, index: hashesAtLevel(this.leaves, 1) - 1n, hash: root }];
    await this.store(1, root, completed);
    return completed;
  }

  async root(): Promise<Uint8Array> {
    const tree = new CompactTree(this.crypto);
    for (let level = this.edge.length - 1; level >= 0; level--) {
      for (const hash of this.edge[level]!) await tree.append(hash, level * tileHeight);
    }
    return tree.root();
  }

  /** A copy that can grow on its own: the original stands until the growth is durable. */
  clone(): GrowingTree {
    return GrowingTree.restore(this.crypto, this.leaves, this.edge);
  }

  private store(level: number, hash: Uint8Array, completed: StoredNode[]): Promise<void> | undefined {
    const tile = (this.edge[level] ??= []);
    tile.push(hash);
    return tile.length === tileWidth ? this.complete(level, completed) : undefined;
  }

  private async complete(level: number, completed: StoredNode[]): Promise<void> {
    let hashes = this.edge[level]!;
    this.edge[level] = [];
    while (hashes.length > 1) {
      const pairs = Array.from({ length: hashes.length / 2 }, (_, i) => nodeHash(this.crypto, hashes[2 * i]!, hashes[2 * i + 1]!));
      hashes = await Promise.all(pairs);
    }
    const node = { level: level + 1, index: hashesAtLevel(this.leaves, level + 1) - 1n, hash: hashes[0]! };
    completed.push(node);
    await this.store(node.level, node.hash, completed);
  }
}

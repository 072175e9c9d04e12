import { invariant } from '#kernel';
import type { CryptoPort } from '../crypto/crypto-port.js';
import type { NodeReader } from '../merkle/prove.js';
import { CompactTree, hashBytes, type PerfectSubtree } from '../merkle/tree-hash.js';
import { splitHashes, tileHeight } from './tile.js';

/** Reads `count` stored hashes of a tile level from `first` on, in one run of bytes. */
export interface HashReader {
  readHashes(level: number, first: bigint, count: number): Promise<Uint8Array>;
}

/** The node of any perfect subtree, from the hashes that tiles store: every eighth level, the rest computed. */
export class TileNodes implements NodeReader {
  constructor(
    private readonly crypto: CryptoPort,
    private readonly hashes: HashReader,
  ) {}

  async read(subtree: PerfectSubtree): Promise<Uint8Array> {
    const level = Math.floor(subtree.level / tileHeight);
    const count = 1 << (subtree.level % tileHeight);
    const bytes = await this.hashes.readHashes(level, subtree.index * BigInt(count), count);
    invariant(bytes.length === count * hashBytes, `level ${level} holds ${count} hashes from ${subtree.index * BigInt(count)} on`);
    const tree = new CompactTree(this.crypto);
    for (const hash of splitHashes(bytes)) await tree.append(hash);
    return tree.root();
  }
}

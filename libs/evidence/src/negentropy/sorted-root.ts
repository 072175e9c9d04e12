import type { CryptoPort } from '../crypto/crypto-port.js';
import { CompactTree, leafHash } from '../merkle/tree-hash.js';
import type { SetTree } from './set-tree.js';
import { idBytes } from './sum256.js';
import { compareIds } from './tree-key.js';

const leavesPerTurn = 1_024;
const bucketsOf16Bits = 65_536;

/**
 * The RFC 6962 root over the first `count` items of a set, their ids sorted by their bytes and each id one leaf: what both sides sign. `pause` is
 * awaited now and then, so that others have their turn; a million ids take a second or two.
 */
export async function sortedRoot(
  crypto: CryptoPort,
  tree: SetTree,
  count = tree.size,
  pause: () => Promise<void> = () => Promise.resolve(),
): Promise<Uint8Array> {
  const ids = tree.ids(0, count);
  const order = await sortedOrder(ids, pause);
  const merkle = new CompactTree(crypto);
  for (let i = 0; i < count; i++) {
    if (i % leavesPerTurn === 0) await pause();
    const at = order[i]! * idBytes;
    await merkle.append(await leafHash(crypto, ids.subarray(at, at + idBytes)));
  }
  return merkle.root();
}

/** Ids are hashes: by their first two bytes they fall into small heaps of much the same size, and each heap is then sorted. */
async function sortedOrder(ids: Uint8Array, pause: () => Promise<void>): Promise<Uint32Array> {
  const starts = new Uint32Array(bucketsOf16Bits + 1);
  const bucketAt = (at: number): number => ids[at]! * 256 + ids[at + 1]!;
  for (let at = 0; at < ids.length; at += idBytes) starts[bucketAt(at) + 1]! += 1;
  for (let bucket = 0; bucket < bucketsOf16Bits; bucket++) starts[bucket + 1]! += starts[bucket]!;
  const order = new Uint32Array(ids.length / idBytes);
  const next = starts.slice();
  for (let at = 0; at < ids.length; at += idBytes) order[next[bucketAt(at)]!++] = at / idBytes;
  await pause();
  const compare = (a: number, b: number): number => compareIds(ids, a * idBytes, ids.subarray(b * idBytes));
  for (let bucket = 0; bucket < bucketsOf16Bits; bucket++) {
    if (bucket % leavesPerTurn === 0) await pause();
    const heap = order.subarray(starts[bucket], starts[bucket + 1]);
    if (heap.length > 1) heap.sort(compare);
  }
  return order;
}

import { Refusal } from '#kernel';
import { sameBytes } from '../bytes.js';
import type { CryptoPort } from '../crypto/crypto-port.js';
import type { RangeProof } from './prove.js';
import { CompactTree, hashBytes, nodeHash, perfectSubtrees } from './tree-hash.js';

export interface InclusionClaim {
  readonly index: bigint;
  readonly size: bigint;
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** RFC 9162 §2.1.3.2. Refuses `proof.malformed` (a hash of another length, an index outside) and `proof.mismatch`. */
export async function verifyInclusion(crypto: CryptoPort, claim: InclusionClaim): Promise<void> {
  requireHashes([claim.leaf, claim.root, ...claim.path]);
  if (claim.index < 0n || claim.index >= claim.size) throw malformed('the index is outside the tree');
  let [fn, sn, hash] = [claim.index, claim.size - 1n, claim.leaf];
  for (const step of claim.path) {
    if (sn === 0n) throw malformed('the proof is too long');
    if ((fn & 1n) === 1n || fn === sn) {
      hash = await nodeHash(crypto, step, hash);
      for (; (fn & 1n) === 0n && fn !== 0n; fn >>= 1n) sn >>= 1n;
    } else {
      hash = await nodeHash(crypto, hash, step);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) throw malformed('the proof is too short');
  if (!sameBytes(hash, claim.root)) throw mismatch('the entry is not in the tree at this index');
}

export interface ConsistencyClaim {
  readonly oldSize: bigint;
  readonly newSize: bigint;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 §2.1.4.2. Refuses `proof.malformed` and `proof.mismatch` (the newer tree does not contain the older one). */
export async function verifyConsistency(crypto: CryptoPort, claim: ConsistencyClaim): Promise<void> {
  if (claim.oldSize > claim.newSize) throw malformed('a log only grows');
  if (claim.oldSize <= 0n) throw malformed('an empty tree is a part of every tree: there is nothing to prove');
  if (claim.oldSize === claim.newSize) {
    if (claim.proof.length > 0) throw malformed('the proof is too long');
    if (!sameBytes(claim.oldRoot, claim.newRoot)) throw mismatch('two trees of one size have different roots');
    return;
  }
  requireHashes([claim.oldRoot, claim.newRoot, ...claim.proof]);
  const [oldRoot, newRoot] = await rootsOf(crypto, claim);
  if (!sameBytes(oldRoot, claim.oldRoot) || !sameBytes(newRoot, claim.newRoot))
    throw mismatch('the newer tree does not extend the older one');
}

/** The two roots that a consistency proof leads to. An old tree of a power of two is its own first hash. */
async function rootsOf(crypto: CryptoPort, claim: ConsistencyClaim): Promise<[Uint8Array, Uint8Array]> {
  const isPowerOfTwo = (claim.oldSize & (claim.oldSize - 1n)) === 0n;
  const [first, ...rest] = isPowerOfTwo ? [claim.oldRoot, ...claim.proof] : claim.proof;
  if (first === undefined) throw malformed('the proof is empty');
  let [fn, sn] = [claim.oldSize - 1n, claim.newSize - 1n];
  for (; (fn & 1n) === 1n; fn >>= 1n) sn >>= 1n;
  let [oldHash, newHash] = [first, first];
  for (const step of rest) {
    if (sn === 0n) throw malformed('the proof is too long');
    if ((fn & 1n) === 1n || fn === sn) {
      oldHash = await nodeHash(crypto, step, oldHash);
      newHash = await nodeHash(crypto, step, newHash);
      for (; (fn & 1n) === 0n && fn !== 0n; fn >>= 1n) sn >>= 1n;
    } else {
      newHash = await nodeHash(crypto, newHash, step);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) throw malformed('the proof is too short');
  return [oldHash, newHash];
}

/** Recomputes the root from a consecutive range of leaves, fed one by one, and the hashes that stand outside it. Constant memory. */
export class RangeVerifier {
  private appended = 0n;

  private constructor(
    private readonly range: { readonly start: bigint; readonly end: bigint; readonly size: bigint },
    private readonly right: readonly Uint8Array[],
    private readonly tree: CompactTree,
  ) {}

  /** Refuses `proof.malformed` where the range or the number of hashes is impossible. */
  static async start(
    crypto: CryptoPort,
    range: { readonly start: bigint; readonly end: bigint; readonly size: bigint },
    proof: RangeProof,
  ): Promise<RangeVerifier> {
    requireHashes([...proof.left, ...proof.right]);
    if (range.start < 0n || range.start > range.end || range.end > range.size) throw malformed('the range is outside the tree');
    const left = [...perfectSubtrees(0n, range.start)];
    const rightCount = [...perfectSubtrees(range.end, range.size)].length;
    if (proof.left.length !== left.length || proof.right.length !== rightCount) throw malformed('the proof has another number of hashes');
    const tree = new CompactTree(crypto);
    for (const [i, { level }] of left.entries()) await tree.append(proof.left[i]!, level);
    return new RangeVerifier(range, proof.right, tree);
  }

  async append(leaf: Uint8Array): Promise<void> {
    requireHashes([leaf]);
    this.appended += 1n;
    await this.tree.append(leaf);
  }

  /** Refuses `proof.malformed` (too few or too many leaves) and `proof.mismatch`. */
  async finish(root: Uint8Array): Promise<void> {
    if (this.appended !== this.range.end - this.range.start) throw malformed('the range has another number of leaves');
    for (const [i, { level }] of [...perfectSubtrees(this.range.end, this.range.size)].entries()) {
      await this.tree.append(this.right[i]!, level);
    }
    if (!sameBytes(await this.tree.root(), root)) throw mismatch('the range is not in the tree at this place');
  }
}

function requireHashes(hashes: readonly Uint8Array[]): void {
  if (hashes.some((hash) => hash.length !== hashBytes)) throw malformed(`a hash has ${hashBytes} bytes`);
}

const malformed = (detail: string) => new Refusal('malformed', 'proof.malformed', detail);
const mismatch = (detail: string) => new Refusal('unprocessable', 'proof.mismatch', detail);

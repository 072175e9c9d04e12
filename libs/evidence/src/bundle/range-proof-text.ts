import { Refusal } from '#kernel';
import { parseBase64, toBase64 } from '../base64.js';
import { parseUtf8 } from '../bytes.js';
import { canonicalBytes, canonicalize } from '../canonical.js';
import type { RangeProof } from '../merkle/prove.js';

/** range-proof.json: `{"left":[…],"right":[…]}`, canonical, hashes in Base 64. */
export function formatRangeProof(proof: RangeProof): Uint8Array {
  return canonicalBytes({ left: proof.left.map(toBase64), right: proof.right.map(toBase64) });
}

/** Refuses `proof.malformed`. */
export function parseRangeProof(bytes: Uint8Array): RangeProof {
  const text = parseUtf8(bytes, 'proof.malformed');
  try {
    const { left, right } = JSON.parse(text) as { left: string[]; right: string[] };
    if (canonicalize({ left, right }) !== text) throw new TypeError('not canonical');
    return { left: left.map((hash) => parseBase64(hash)), right: right.map((hash) => parseBase64(hash)) };
  } catch {
    throw new Refusal('malformed', 'proof.malformed', 'expected the two lists of hashes of a range proof');
  }
}

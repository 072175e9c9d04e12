import { invariant } from '#kernel';

/** A sum of ids, each read as a little-endian number, mod 2^256: eight words of 32 bits, the lowest first. */
export type Sum256 = Uint32Array;

export const wordsPerId = 8;
export const idBytes = 32;

const WORD = 0x1_0000_0000;

// Ids are summed as words of the machine: on one that stores the high byte first, every fingerprint would be wrong.
invariant(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, 'this machine stores the low byte of a number first');

export function noSum(): Sum256 {
  return new Uint32Array(wordsPerId);
}

/** Adds the eight words of `ids` that begin at `from`. */
export function addWords(sum: Sum256, ids: Uint32Array, from = 0): void {
  let carry = 0;
  for (let i = 0; i < wordsPerId; i++) {
    const word = sum[i]! + ids[from + i]! + carry;
    sum[i] = word;
    carry = word >= WORD ? 1 : 0;
  }
}

/** Takes the eight words of `ids` that begin at `from` away again. */
export function subtractWords(sum: Sum256, ids: Uint32Array, from = 0): void {
  let borrow = 0;
  for (let i = 0; i < wordsPerId; i++) {
    const word = sum[i]! - ids[from + i]! - borrow;
    sum[i] = word;
    borrow = word < 0 ? 1 : 0;
  }
}

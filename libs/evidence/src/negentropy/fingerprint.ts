import { fingerprintBytes } from './message.js';
import type { Bound, Item } from './bound.js';
import { idBytes } from './sum256.js';
import { encodeVarint } from './varint.js';

/** SHA-256, at once: a message has thousands of fingerprints. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** A set in the order of the protocol: by timestamp, then by id. It does not change while it is looked at. */
export interface OrderedItems {
  readonly size: number;
  /** How many items lie before the bound. */
  rank(bound: Bound): number;
  at(index: number): Item;
  /** The ids of [from, to), one after another. */
  ids(from: number, to: number): Uint8Array;
  /** The sum of the ids of [from, to), mod 2^256, as 32 bytes, the lowest first. */
  sum(from: number, to: number): Uint8Array;
}

/** The protocol's digest of [from, to): SHA-256 over the sum and the count, cut to 16 bytes. Finds differences; is no commitment. */
export function fingerprintOf(items: OrderedItems, from: number, to: number, sha256: Sha256): Uint8Array {
  const count = encodeVarint(to - from);
  const input = new Uint8Array(idBytes + count.length);
  input.set(items.sum(from, to));
  input.set(count, idBytes);
  return sha256(input).subarray(0, fingerprintBytes);
}

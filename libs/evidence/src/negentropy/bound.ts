import { idBytes } from './sum256.js';

/** The exclusive end of a range: a timestamp, and the first bytes of an id where several items have that timestamp. */
export interface Bound {
  /** Seconds; `Infinity` lies behind every item. */
  readonly timestamp: number;
  /** Up to 32 bytes; the ones left out are zero. */
  readonly prefix: Uint8Array;
}

export interface Item {
  readonly timestamp: number;
  readonly id: Uint8Array;
}

const NO_BYTES = new Uint8Array();

export const START: Bound = { timestamp: 0, prefix: NO_BYTES };
export const END: Bound = { timestamp: Infinity, prefix: NO_BYTES };

/** The bound before all items of this timestamp. */
export const boundAt = (timestamp: number): Bound => ({ timestamp, prefix: NO_BYTES });

export function compareBounds(a: Bound, b: Bound): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1;
  const bytes = Math.max(a.prefix.length, b.prefix.length);
  for (let i = 0; i < bytes; i++) {
    const difference = (a.prefix[i] ?? 0) - (b.prefix[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The shortest bound that separates two neighbours: nothing of an id where their times differ, else one byte more than they share. */
export function boundBetween(before: Item, after: Item): Bound {
  if (before.timestamp !== after.timestamp) return boundAt(after.timestamp);
  let shared = 0;
  while (shared < idBytes - 1 && before.id[shared] === after.id[shared]) shared++;
  return { timestamp: after.timestamp, prefix: after.id.slice(0, shared + 1) };
}

/**
 * The shard a ledger row lives on: one of 32 fixed values, computed from the subject (or the participant) and never changed.
 * These 32 values hash to 32 different Citus shards, so the same schema spreads over workers (DESIGN.md, "Shards").
 */
export const SHARDS = [
  0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 13, 16, 17, 18, 21, 22, 24, 27, 28, 31, 36, 37, 39, 41, 48, 50, 52, 58, 62, 85, 136,
] as const;

export type Shard = (typeof SHARDS)[number];

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a (32 bit) over the UTF-16 code units of `key`: a subject's UUID in lower case, or a participant's id. */
export function shardOf(key: string): Shard {
  let hash = FNV_OFFSET;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME);
  // FNV's low bits mix poorly on near-equal keys: fold the high half in before taking five bits.
  return SHARDS[(hash ^ (hash >>> 16)) & 31]!;
}

export function isShard(value: number): value is Shard {
  return (SHARDS as readonly number[]).includes(value);
}

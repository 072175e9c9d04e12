import { invariant, type Shard } from '#kernel';
import { utf8 } from '#evidence';
import type { Clerk } from '../notary.js';

/** Credentials of one status list: 2^18, so a list of two bits each has 64 KiB before it is packed. */
export const listEntries = 262_144;
const halfBits = 9;
const halfMask = (1 << halfBits) - 1;
const rounds = 4;

export interface ListPlace {
  readonly list: number;
  readonly index: number;
}

/**
 * Where a credential stands in the status lists of its shard. Every disclosure has one fact, and facts are numbered without gaps: so the number
 * gives every credential a list and a place of its own, with nothing to count and nothing to lock. The place is drawn by a Feistel network over
 * the number (Luby and Rackoff 1988, four rounds) with a secret of the shard: it tells nothing of the fact, the subject or the order.
 */
export function listPlace(factSeq: bigint, secret: string, clerk: Pick<Clerk, 'sha256'>): ListPlace {
  const list = Number(factSeq / BigInt(listEntries));
  const number = Number(factSeq % BigInt(listEntries));
  let [left, right] = [number >> halfBits, number & halfMask];
  for (let round = 0; round < rounds; round++) {
    const digest = clerk.sha256(utf8.encode(`${secret} ${list} ${round} ${right}`));
    [left, right] = [right, left ^ (((digest[0]! << 8) | digest[1]!) & halfMask)];
  }
  return { list, index: (left << halfBits) | right };
}

/** The facts whose credentials stand in a list. */
export function factsOfList(list: number): { readonly from: bigint; readonly before: bigint } {
  invariant(Number.isSafeInteger(list) && list >= 0, 'lists are numbered from 0');
  return { from: BigInt(list) * BigInt(listEntries), before: BigInt(list + 1) * BigInt(listEntries) };
}

export function listUri(origin: string, shard: Shard, list: number): string {
  return `${origin}/v1/status-lists/${shard}/${list}`;
}

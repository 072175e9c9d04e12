import type { Shard } from './shard.js';

/** JSON whose numbers are safe integers: what a fact's body may hold, so that its canonical form (RFC 8785) is exact. */
export type FactValue = string | number | boolean | null | readonly FactValue[] | { readonly [name: string]: FactValue };

/**
 * Something that happened, saved in the transaction of the state it explains (rule 1) and later sealed into the log.
 * It carries no personal data: random internal ids, digests and commitments only (CONTRACT.md §9).
 */
export interface Fact {
  readonly shard: Shard;
  /** Dotted and in the past tense: `record.accepted`, `restriction.imposed`. */
  readonly kind: string;
  /** The subject's internal UUID, where the fact is about one. */
  readonly subject?: string;
  /** The participant's id, where the fact is about or by one. */
  readonly participant?: string;
  readonly body: { readonly [name: string]: FactValue };
}

/** Where a saved fact stands: numbers are gapless per shard and in commit order. */
export interface FactPosition {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: Date;
}

/** Facts of one shard, numbered (afterSeq, upToSeq]. */
export interface FactSpan {
  readonly shard: Shard;
  readonly afterSeq: bigint;
  readonly upToSeq: bigint;
}

/** A list that cannot be empty: a save without a fact does not compile. */
export type Facts = readonly [Fact, ...Fact[]];

import type { DecisionMode, Outcome } from '#contract';
import type { Money, ShardedId } from '#kernel';
import type { Evaluation } from '#policies';

/** What an internal service asks, read and checked. */
export interface DecisionRequest {
  readonly subject: ShardedId;
  readonly service: string;
  readonly money: Money;
  readonly mode: DecisionMode;
  readonly counterparty: string | undefined;
  readonly channel: string | undefined;
  readonly holdSeconds: number;
  readonly paymentReference: string | undefined;
}

export interface DecisionAsk {
  readonly caller: string;
  readonly key: string | undefined;
  readonly request: DecisionRequest;
}

/** An evaluated request on its way to the ledger. Subject and decision live on the same shard. */
export interface DecisionItem {
  readonly decision: ShardedId;
  readonly ask: DecisionAsk;
  /** SHA-256 of the input: what the key is bound to. */
  readonly digest: Uint8Array;
  readonly evaluation: Evaluation;
  readonly policyVersion: bigint;
  readonly standingVersion: bigint;
  /** Absent: nothing is reserved. */
  readonly holdSeconds: number | undefined;
  readonly salt: string;
  /** Canonical JSON of what was asked and evaluated (see details.ts). */
  readonly details: string;
}

/** One counter as it stood after the decision; `broken`: it had no room for it. */
export interface CounterState {
  readonly usedMinor: bigint;
  readonly reservedMinor: bigint;
  readonly taken: number;
  readonly broken: boolean;
}

/** What the ledger says of an item. Its time is the head row's. */
export type Ruling =
  | { readonly verdict: 'DECIDED'; readonly at: Date; readonly usage: string }
  | { readonly verdict: 'STALE'; readonly at: Date; readonly policyVersion: bigint }
  | { readonly verdict: 'KNOWN' | 'REFERENCE' };

/** What a read-only look at the counters says. */
export type Sighting =
  | { readonly verdict: 'SEEN'; readonly at: Date; readonly usage: string }
  | { readonly verdict: 'STALE'; readonly at: Date; readonly policyVersion: bigint };

/** A decision as it stands in the ledger. */
export interface DecisionRow {
  readonly decision: ShardedId;
  readonly seq: bigint;
  readonly at: Date;
  readonly subject: ShardedId;
  readonly caller: string;
  readonly key: string | undefined;
  readonly digest: Uint8Array;
  readonly service: string;
  readonly outcome: Outcome;
  readonly computed: Outcome;
  readonly policyVersion: bigint;
  readonly standingVersion: bigint;
  readonly expiresAt: Date | undefined;
  readonly details: string;
  readonly usage: string;
  readonly salt: string;
  readonly commitment: Uint8Array;
}

/** Reads the ledger's `used:reserved:taken:broken` list, one for each cap. */
export function readUsage(usage: string): CounterState[] {
  if (usage === '') return [];
  return usage.split(',').map((text) => {
    const [used, reserved, taken, broken] = text.split(':') as [string, string, string, string];
    return { usedMinor: BigInt(used), reservedMinor: BigInt(reserved), taken: Number(taken), broken: broken === '1' };
  });
}

const BROKEN = /:1(,|$)/;

/** Whether any counter had no room. */
export function isAnyBroken(usage: string): boolean {
  return BROKEN.test(usage);
}

export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

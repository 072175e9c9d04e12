import { type ItemProblem, KINDS, type LinkedAnswer, type LinkedResult } from '#contract';
import type { Refusal, ShardedId } from '#kernel';
import { linkedRefused } from './codes.js';
import { type DecisionRequest, isAnyBroken, type Ruling } from './decision.js';
import { composeAnswer, type Ruled } from './details.js';
import { inputText } from './input-text.js';
import type { Prepared } from './prepare-item.js';
import type { DecisionKey } from './store.js';

/** Reservations of one subject that stand or fall together. */
export interface LinkedAsk {
  readonly subject: ShardedId;
  readonly caller: string;
  readonly key: string;
  readonly requests: readonly DecisionRequest[];
}

/** An evaluated group on its way to the ledger. */
export interface LinkedGroup extends DecisionKey {
  readonly digest: Uint8Array;
  readonly items: readonly Prepared[];
  readonly salt: string;
}

/** A group as it stands in the ledger: found by its key, never changed. */
export interface LinkedRow {
  readonly digest: Uint8Array;
  readonly answer: LinkedAnswer;
}

export type LinkedRuling =
  | { readonly verdict: 'SAVED'; readonly answer: LinkedAnswer }
  | { readonly verdict: 'KNOWN'; readonly row: LinkedRow }
  | { readonly verdict: 'STALE'; readonly at: Date; readonly policyVersion: bigint }
  /** Payment references that are taken, by item. Nothing was saved. */
  | { readonly verdict: 'REFERENCE'; readonly items: ReadonlySet<number> };

export interface LinkedLedger {
  /** One transaction: every item reserved and the group saved, or only the refused group. Rejects with `LostReply` where that is unknown. */
  reserveAll(group: LinkedGroup): Promise<LinkedRuling>;
  find(key: DecisionKey): Promise<LinkedRow | undefined>;
  /** After a lost reply: waits until nothing of this subject is under way. */
  findSettled(key: DecisionKey): Promise<LinkedRow | undefined>;
}

/** What a group's key is bound to: the digest is taken over its items' texts, in order. */
export function linkedText({ requests }: LinkedAsk): string {
  return `[${requests.map(inputText).join(',')}]`;
}

/** Whether this item may not be reserved: policy or standing says no, or a limit that binds has no room. */
export function isDenied({ item: { evaluation } }: Prepared, usage: string): boolean {
  return evaluation.outcome === 'DENY' || (evaluation.enforced && isAnyBroken(usage));
}

export type DecidedRuling = Extract<Ruling, { verdict: 'DECIDED' }>;

export function tellReserved(items: readonly Prepared[], rulings: readonly DecidedRuling[]): LinkedAnswer {
  const results = items.map(({ item: { decision }, details }, i) => ({
    answer: composeAnswer(details, { ...rulings[i]!, decision }, decision.shard),
  }));
  return { outcome: 'RESERVED', failed: [], results };
}

/** Denied items tell their decision; a decision without an id would have been allowed alone and is told by the group only. */
export function tellDenied(items: readonly Prepared[], denied: ReadonlyMap<number, Ruled>): LinkedAnswer {
  const tell = ({ item, details }: Prepared, ruled: Ruled) => composeAnswer(details, ruled, item.decision.shard);
  return refused(items.length, [...denied.keys()], (i) => ({ answer: tell(items[i]!, denied.get(i)!) }));
}

/** A group in which these items cannot even be judged. */
export function tellRefusals(count: number, refusals: ReadonlyMap<number, Refusal>): LinkedAnswer {
  return refused(count, [...refusals.keys()], (i) => ({ problem: problemAt(i, refusals.get(i)!) }));
}

function refused(count: number, failed: readonly number[], tell: (item: number) => LinkedResult): LinkedAnswer {
  const others = { problem: problemOf(linkedRefused(failed)) };
  const results = Array.from({ length: count }, (_, i) => (failed.includes(i) ? tell(i) : others));
  return { outcome: 'REFUSED', failed, results };
}

function problemAt(item: number, refusal: Refusal): ItemProblem {
  const { field } = refusal.hints;
  return { ...problemOf(refusal), ...(field === undefined ? {} : { field: `/items/${item}${field}` }) };
}

function problemOf({ code, detail, kind }: Refusal): ItemProblem {
  return { code, detail, status: KINDS[kind].status };
}

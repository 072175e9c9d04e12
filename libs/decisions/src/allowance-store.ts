import type { ShardedId } from '#kernel';
import type { Allowance, AllowanceKnown } from './allowance.js';
import type { RecordedSpend, SettlementStep, SpendReport } from './allowance-spend.js';
import type { DecisionItem } from './decision.js';

/** A decision that reserved, on its way to become an allowance. */
export interface AllowanceDraft extends Omit<Allowance, 'spendsMax' | 'subject' | 'money' | 'service' | 'counterparty' | 'channel'> {
  /** The same request evaluated now: which counts have room for further parts. */
  readonly item: DecisionItem;
}

export type Opening =
  | { readonly verdict: 'OPEN'; readonly allowance: Allowance }
  | { readonly verdict: 'STALE'; readonly at: Date; readonly policyVersion: bigint }
  /** Policy or standing says no by now, the hold ran out, or its windows are no longer those of today: nothing is held any more. */
  | { readonly verdict: 'OVERTAKEN' };

export interface AllowanceSettlementAsk {
  readonly allowance: ShardedId;
  readonly holder: string;
  readonly currency: string | undefined;
  readonly reports: readonly SpendReport[];
  readonly close: boolean;
}

export interface Settled {
  readonly known: AllowanceKnown;
  readonly results: SettlementStep['results'];
  readonly added: readonly RecordedSpend[];
  readonly at: Date;
}

/** Where allowances live. Every step is idempotent: whoever gets no answer repeats it. */
export interface AllowanceStore {
  /** One transaction under the head row; an allowance that is open already is answered as it is. */
  open(draft: AllowanceDraft): Promise<Opening>;
  /** One transaction under the head row. Refuses 404 `allowance.unknown` (also another's) and 422 `currency.unsupported`. */
  settle(ask: AllowanceSettlementAsk): Promise<Settled>;
  find(id: ShardedId): Promise<{ readonly known: AllowanceKnown; readonly at: Date } | undefined>;
}

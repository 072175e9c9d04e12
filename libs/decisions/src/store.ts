import type { Refusal, ShardedId } from '#kernel';
import type { DecisionItem, DecisionRow, Ruling, Sighting } from './decision.js';
import type { Reservation } from './reservation.js';
import type { SettlementAsk } from './settle.js';

export interface DecisionKey {
  readonly subject: ShardedId;
  readonly caller: string;
  readonly key: string;
}

/** Where counters, holds and decisions live. */
export interface DecisionLedger {
  /** One transaction, answers in order. Rejects with `LostReply` where the effect is unknown; otherwise a rejection saved nothing. */
  reserve(items: readonly DecisionItem[]): Promise<readonly Ruling[]>;
  /** After a lost reply: waits until nothing of these items is under way and says which were decided. */
  findDecided(items: readonly DecisionItem[]): Promise<readonly (Ruling | undefined)[]>;
  /** The same verdicts as of now, leaving no trace. */
  inspect(items: readonly DecisionItem[]): Promise<readonly Sighting[]>;
  findByKey(key: DecisionKey): Promise<DecisionRow | undefined>;
  findById(decision: ShardedId): Promise<DecisionRow | undefined>;
}

/** One ask's end: the reservation as it is now, or why nothing was done. */
export type SettlementResult = { readonly reservation: Reservation; readonly replayed: boolean } | Refusal;

export interface ReservationStore {
  /** One transaction under the head rows; each ask has its own result, and a refusal leaves the others standing. */
  settle(asks: readonly SettlementAsk[]): Promise<readonly SettlementResult[]>;
  find(reservation: ShardedId): Promise<Reservation | undefined>;
}

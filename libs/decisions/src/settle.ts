import { Batcher, Refusal, type ShardedId } from '#kernel';
import { keyMissing } from './codes.js';
import type { Reservation, Settlement } from './reservation.js';
import type { ReservationStore, SettlementResult } from './store.js';

const SETTLE_LIMITS = { itemsMax: 128, inFlightMax: 2, queueItemsMax: 4_000, waitMsMax: 500 };

export interface SettlementAsk {
  readonly caller: string;
  readonly reservation: ShardedId;
  readonly settlement: Settlement;
  readonly key: string | undefined;
}

/** Confirms, releases and refunds: in batches, under the same head rows as decisions. */
export class Settler {
  private readonly batches: Batcher<SettlementAsk, SettlementResult>;

  constructor(store: ReservationStore) {
    // Every step is idempotent: after a lost reply the caller repeats it and hears what it did.
    const lookUp = (asks: readonly SettlementAsk[]) => Promise.resolve(asks.map(() => undefined));
    this.batches = new Batcher({ send: (asks) => store.settle(asks), lookUp }, SETTLE_LIMITS);
  }

  /**
   * Refuses what `settleReservation` refuses, 404 `reservation.unknown` (also for another caller's), 400 `idempotency.key_missing` for a
   * refund without one, 422 `idempotency.key_reused` and 503 `overloaded`.
   */
  async settle(ask: SettlementAsk): Promise<{ readonly reservation: Reservation; readonly replayed: boolean }> {
    if (ask.settlement.kind === 'refund' && ask.key === undefined) throw keyMissing();
    const result = await this.batches.submit(ask);
    if (result instanceof Refusal) throw result;
    return result;
  }
}

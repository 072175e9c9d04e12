import type { StoredEvent } from '../event.js';
import type { EventFailure } from '../store.js';
import type { Circuit } from './circuit.js';
import type { Webhook } from './webhook.js';

/** A webhook that one worker alone works on, until its lease runs out. */
export interface HeldWebhook extends Webhook {
  readonly epoch: bigint;
  /** How long the lease lasts from now, and from each renewal. */
  readonly leaseMs: number;
}

/** An event that waits to be pushed, with how often that failed already. */
export interface PushableEvent extends StoredEvent {
  readonly failures: number;
}

export interface FailedPush {
  readonly event: PushableEvent;
  readonly failure: EventFailure;
  readonly refused: boolean;
  readonly retryAt: Date;
}

/** Deliveries as they stand in PostgreSQL. What is written about the endpoint itself is dropped where the lease was lost. */
export interface DeliveryStore {
  /** Takes the participant's webhook if something may be sent there at `at` and nobody works on it. */
  claim(participant: string, at: Date): Promise<HeldWebhook | undefined>;
  /** False: the lease was lost, somebody else may work on it, or the address changed. */
  renew(held: HeldWebhook): Promise<boolean>;
  release(held: HeldWebhook, deliveredAt: Date | undefined): Promise<void>;
  /** In the order they happened; without what is dead, and without what waits for its own next try or behind an earlier event of its subject. */
  pushable(held: HeldWebhook, countMax: number, at: Date): Promise<PushableEvent[]>;
  acknowledge(participant: string, ids: readonly string[], at: Date): Promise<void>;
  fail(participant: string, failed: readonly FailedPush[], at: Date): Promise<void>;
  /** Keeps how the endpoint fares. Where it is well again, what only its trouble held back is tried at once. */
  keepCircuit(held: HeldWebhook, known: Circuit, next: Circuit, at: Date): Promise<void>;
  /** The receiver has echoed: from now on it gets events. */
  confirm(held: HeldWebhook, at: Date): Promise<void>;
}

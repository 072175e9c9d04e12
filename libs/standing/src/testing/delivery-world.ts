import type { EventKind } from '#contract';
import { ManualClock, type Shard, shardOf } from '#kernel';
import { type Database } from '#platform';
import { createNotary } from '../adapters/node-notary.js';
import { PgDeliveryStore } from '../adapters/pg-delivery-store.js';
import { PgStandingBook } from '../adapters/pg-standing-book.js';
import { PgWebhookBook } from '../adapters/pg-webhook-book.js';
import { DeliverEvents, type DeliveryResult } from '../delivery/deliver-events.js';
import type { PushAnswer, PushToken } from '../delivery/push.js';
import { Webhooks } from '../delivery/webhooks.js';
import type { EventFailure } from '../store.js';
import { claimsOf, receiptSigner, startAt } from './exchange-world.js';

export interface PushedToken {
  readonly participant: string;
  readonly jti: string;
  readonly subject: string;
  /** The number of the event, as `tell` counts. */
  readonly n: number;
  readonly token: string;
}

const leaseMs = 10_000;

type Answer = PushAnswer | { readonly trouble: EventFailure };
export const TAKEN: Answer = { status: 202, body: undefined };
export const BROKEN: Answer = { trouble: { err: 'connection_failed' } };
export const REJECTED: Answer = { status: 400, body: { err: 'no_such_customer' } };

/** Banks with webhooks on a real database, events that are numbered, and a network that the test answers for. */
export class DeliveryWorld {
  readonly clock = new ManualClock(startAt);
  readonly book: PgWebhookBook;
  readonly store: PgDeliveryStore;
  readonly webhooks: Webhooks;
  readonly pushed: PushedToken[] = [];
  /** What the network answers; a test replaces it. */
  answer: (pushed: PushedToken) => Answer | Promise<Answer> = () => TAKEN;
  private last = 0;

  constructor(readonly database: Database) {
    this.book = new PgWebhookBook(database);
    this.store = new PgDeliveryStore(database, leaseMs);
    this.webhooks = new Webhooks(this.book, this.notary, this.clock, () => true);
  }

  readonly notary = createNotary('https://gateway.test', () => receiptSigner);

  /** A worker of its own. */
  deliver(store = this.store): DeliverEvents {
    const push: PushToken = async ({ participant }, token) => {
      const claims = claimsOf(token) as { jti: string; sub_id: { id: string }; events: Record<string, { n?: number; challenge?: string }> };
      const [body] = Object.values(claims.events);
      if (body?.challenge !== undefined) return { status: 200, body: { challenge: body.challenge } };
      const pushed = { participant, jti: claims.jti, subject: claims.sub_id.id, n: body?.n ?? 0, token };
      this.pushed.push(pushed);
      return await this.answer(pushed);
    };
    return new DeliverEvents(store, push, this.notary, this.clock);
  }

  run(participant: string): Promise<DeliveryResult> {
    return this.deliver().run(participant);
  }

  /** An active bank with a confirmed webhook. */
  async bank(id: string, kinds: readonly EventKind[] = []): Promise<void> {
    await this.database.query(
      `INSERT INTO participants (id, name, state, version, created_at, changed_at) VALUES ($1, $1, 'ACTIVE', 1, now(), now())`,
      [id],
    );
    await this.webhooks.register(id, { url: `https://${id}.example/events`, kinds });
    await this.run(id);
  }

  /** The next numbered event for a bank about a subject; answers its number. */
  async tell(participant: string, subject: number, kind: EventKind = 'rating.changed'): Promise<number> {
    const n = ++this.last;
    const shard: Shard = 0;
    const at = this.clock.now();
    const ref = { shard, uuid: `00000000-0000-7000-8000-${String(subject).padStart(12, '0')}` };
    const event = { participant, ref, kind, body: { n }, id: this.notary.uuid(at), origin: { shard, seq: BigInt(n), at } };
    await this.database.transaction((tx) => new PgStandingBook(tx).addEvents([event]));
    return n;
  }

  /** The numbers pushed to a bank so far, in the order they were. */
  numbers(participant: string): number[] {
    return this.pushed.filter((one) => one.participant === participant).map(({ n }) => n);
  }

  async unacknowledged(participant: string): Promise<number[]> {
    const rows = await this.database.query<{ n: number }>(
      `SELECT (body ->> 'n')::int AS n FROM events WHERE shard = $1 AND participant_id = $2 AND acked_at IS NULL ORDER BY 1`,
      [shardOf(participant), participant],
    );
    return rows.map(({ n }) => n);
  }

  async factKinds(participant: string): Promise<string[]> {
    const rows = await this.database.query<{ kind: string }>('SELECT kind FROM facts WHERE shard = $1 AND participant = $2 ORDER BY seq', [
      shardOf(participant),
      participant,
    ]);
    return rows.map(({ kind }) => kind);
  }
}

import type { EventKind } from '#contract';
import { type Facts, type Shard, shardOf } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';
import type { Circuit } from '../delivery/circuit.js';
import type { DeliveryStore, FailedPush, HeldWebhook, PushableEvent } from '../delivery/delivery-store.js';
import { webhookFact } from '../delivery/webhook.js';
import type { JsonObject } from '#evidence';
import { eventPushes } from './delivery-metrics.js';
import { acknowledgeEvents, FREE, PUSHABLE, readWebhook, WEBHOOK_COLUMNS, type WebhookRow } from './webhook-rows.js';

interface PushableRow {
  readonly id: string;
  readonly at: Date;
  readonly origin_shard: Shard;
  readonly origin_seq: bigint;
  readonly kind: EventKind;
  readonly subject_ref: string;
  readonly body: JsonObject;
  readonly failures: number | null;
}

/** Owns `event_pushes`, and of `webhooks` how they fare. No connection is held between two calls. */
export class PgDeliveryStore implements DeliveryStore {
  /** `leaseMs`: after this long a worker that died is forgotten; see `renewedShare`. */
  constructor(
    private readonly database: Database,
    private readonly leaseMs: number,
  ) {}

  async claim(participant: string, at: Date): Promise<HeldWebhook | undefined> {
    const [row] = await this.database.query<WebhookRow>(
      `UPDATE webhooks w SET epoch = epoch + 1, leased_until = clock_timestamp() + $4 * interval '1 ms'
        WHERE shard = $2 AND participant_id = $3 AND ${FREE} RETURNING ${WEBHOOK_COLUMNS}`,
      [at, shardOf(participant), participant, this.leaseMs],
      'claim_webhook',
    );
    return row && { ...readWebhook(row), epoch: row.epoch, leaseMs: this.leaseMs };
  }

  async renew({ participant, epoch, leaseMs }: HeldWebhook): Promise<boolean> {
    const rows = await this.database.query(
      `UPDATE webhooks SET leased_until = clock_timestamp() + $4 * interval '1 ms'
        WHERE shard = $1 AND participant_id = $2 AND epoch = $3 AND paused_at IS NULL RETURNING shard`,
      [shardOf(participant), participant, epoch, leaseMs],
      'renew_webhook',
    );
    return rows.length > 0;
  }

  async release({ participant, epoch }: HeldWebhook, deliveredAt: Date | undefined): Promise<void> {
    await this.database.query(
      `UPDATE webhooks SET leased_until = NULL, delivered_at = coalesce($4, delivered_at)
        WHERE shard = $1 AND participant_id = $2 AND epoch = $3`,
      [shardOf(participant), participant, epoch, deliveredAt ?? null],
      'release_webhook',
    );
  }

  async pushable({ participant }: HeldWebhook, countMax: number, at: Date): Promise<PushableEvent[]> {
    const rows = await this.database.query<PushableRow>(
      `SELECT e.id, e.at, e.origin_shard, e.origin_seq, e.kind, e.subject_ref, e.body, f.failures
         FROM webhooks w JOIN events e ON ${PUSHABLE}
         LEFT JOIN event_pushes f ON f.shard = e.shard AND f.participant_id = e.participant_id AND f.event = e.id
        WHERE w.shard = $2 AND w.participant_id = $3 ORDER BY e.at, e.origin_shard, e.origin_seq LIMIT $4`,
      [at, shardOf(participant), participant, countMax],
      'pushable_events',
    );
    return rows.map((row) => ({
      participant,
      id: row.id,
      kind: row.kind,
      ref: { shard: row.origin_shard, uuid: row.subject_ref },
      body: row.body,
      origin: { shard: row.origin_shard, seq: row.origin_seq, at: row.at },
      failures: row.failures ?? 0,
    }));
  }

  async acknowledge(participant: string, ids: readonly string[], at: Date): Promise<void> {
    await acknowledgeEvents(this.database, { shard: shardOf(participant), participant }, ids, at);
    eventPushes.inc({ outcome: 'taken' }, ids.length);
  }

  /** An event that was acknowledged meanwhile, by a poll, has not failed. */
  async fail(participant: string, failed: readonly FailedPush[], at: Date): Promise<void> {
    // What a receiver refuses with is its own word: it names no series of ours.
    for (const { refused, failure } of failed) eventPushes.inc({ outcome: refused ? 'refused' : failure.err });
    await this.database.query(
      `INSERT INTO event_pushes AS known (shard, participant_id, event, subject_ref, at, origin_shard, origin_seq,
              failures, first_failed_at, refused, failure, retry_at)
       SELECT e.shard, e.participant_id, e.id, e.subject_ref, e.at, e.origin_shard, e.origin_seq, 1, $4, f.refused, f.failure, f.retry_at
         FROM jsonb_to_recordset($3) AS f (event uuid, refused boolean, failure jsonb, retry_at timestamptz)
         JOIN events e ON e.shard = $1 AND e.participant_id = $2 AND e.id = f.event AND e.acked_at IS NULL
        ORDER BY e.id
       ON CONFLICT (shard, participant_id, event) DO UPDATE
          SET failures = known.failures + 1, refused = excluded.refused, failure = excluded.failure, retry_at = excluded.retry_at`,
      [
        shardOf(participant),
        participant,
        JSON.stringify(failed.map(({ event, refused, failure, retryAt }) => ({ event: event.id, refused, failure, retry_at: retryAt }))),
        at,
      ],
    );
  }

  async keepCircuit(held: HeldWebhook, known: Circuit, next: Circuit, at: Date): Promise<void> {
    const turned = Boolean(known.failingSince) !== Boolean(next.failingSince);
    if (!turned) return void (await saveCircuit(this.database, held, next));
    await this.database.transaction(async (tx) => {
      await appendFacts(tx, turnFact(held, next));
      if (!(await saveCircuit(tx, held, next)) || next.failingSince) return;
      await tx.query(
        `UPDATE event_pushes SET retry_at = $3
          WHERE shard = $1 AND participant_id = $2 AND NOT refused AND dead_at IS NULL AND retry_at > $3`,
        [shardOf(held.participant), held.participant, at],
      );
    });
  }

  async confirm(held: HeldWebhook, at: Date): Promise<void> {
    await this.database.transaction(async (tx) => {
      await appendFacts(tx, [webhookFact(held.participant, 'webhook.confirmed', {})]);
      const rows = await tx.query(
        `UPDATE webhooks SET challenge = NULL, confirmed_at = $4, failures = 0, failing_since = NULL, failure = NULL, next_try_at = NULL
          WHERE shard = $1 AND participant_id = $2 AND epoch = $3 AND challenge IS NOT NULL RETURNING shard`,
        [shardOf(held.participant), held.participant, held.epoch, at],
      );
      if (rows.length === 0) throw new Error('the webhook changed while its challenge was under way');
    });
  }
}

async function saveCircuit(sql: Database | Tx, held: HeldWebhook, circuit: Circuit): Promise<boolean> {
  const { failures, failingSince, failure, nextTryAt } = circuit;
  const rows = await sql.query(
    `UPDATE webhooks SET failures = $4, failing_since = $5, failure = $6, next_try_at = $7
      WHERE shard = $1 AND participant_id = $2 AND epoch = $3 RETURNING shard`,
    [
      ...[shardOf(held.participant), held.participant, held.epoch],
      ...[failures, failingSince ?? null, failure ? JSON.stringify(failure) : null, nextTryAt ?? null],
    ],
  );
  return rows.length > 0;
}

function turnFact({ participant }: HeldWebhook, { failingSince, failure }: Circuit): Facts {
  if (!failingSince) return [webhookFact(participant, 'webhook.recovered', {})];
  return [webhookFact(participant, 'webhook.failing', { err: failure?.err ?? 'unknown' })];
}

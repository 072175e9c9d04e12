import { type Shard } from '#kernel';
import { leaseIsOver, type SqlRunner } from '#platform';
import type { Webhook } from '../delivery/webhook.js';
import type { EventFailure } from '../store.js';

export interface WebhookRow {
  readonly participant_id: string;
  readonly url: string;
  readonly kinds: string[];
  readonly challenge: string | null;
  readonly registered_at: Date;
  readonly confirmed_at: Date | null;
  readonly paused_at: Date | null;
  readonly paused_why: string | null;
  readonly failures: number;
  readonly failing_since: Date | null;
  readonly failure: EventFailure | null;
  readonly next_try_at: Date | null;
  readonly delivered_at: Date | null;
  readonly epoch: bigint;
}

export const WEBHOOK_COLUMNS = `participant_id, url, kinds, challenge, registered_at, confirmed_at, paused_at, paused_why,
  failures, failing_since, failure, next_try_at, delivered_at, epoch`;

export function readWebhook(row: WebhookRow): Webhook {
  return {
    participant: row.participant_id,
    url: row.url,
    kinds: row.kinds,
    challenge: row.challenge ?? undefined,
    registeredAt: row.registered_at,
    confirmedAt: row.confirmed_at ?? undefined,
    paused: row.paused_at ? { at: row.paused_at, why: row.paused_why ?? '' } : undefined,
    deliveredAt: row.delivered_at ?? undefined,
    circuit: {
      failures: row.failures,
      failingSince: row.failing_since ?? undefined,
      failure: row.failure ?? undefined,
      nextTryAt: row.next_try_at ?? undefined,
    },
  };
}

/**
 * Which events `e` of webhook `w` may be pushed at $1: wanted, not acknowledged, not dead, and neither failed lately nor behind one of their subject
 * that did. `e.dead_at` leads past all dead letters by the index; what the release before gave up bears no such mark, and is asked for.
 */
export const PUSHABLE = `e.shard = w.shard AND e.participant_id = w.participant_id AND e.acked_at IS NULL AND e.dead_at IS NULL
  AND (w.kinds = '{}' OR e.kind = ANY (w.kinds))
  AND NOT EXISTS (SELECT FROM event_pushes d WHERE d.shard = w.shard AND d.participant_id = w.participant_id AND d.event = e.id AND d.dead_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM event_pushes p
                   WHERE p.shard = w.shard AND p.participant_id = w.participant_id AND p.subject_ref = e.subject_ref AND p.dead_at IS NULL
                     AND p.retry_at > $1 AND (p.at, p.origin_shard, p.origin_seq) <= (e.at, e.origin_shard, e.origin_seq))`;

/** When webhook `w` may be tried at $1: its owner may hear, nobody holds it back, and nobody works on it. */
export const FREE = `w.paused_at IS NULL AND (w.next_try_at IS NULL OR w.next_try_at <= $1)
  AND (w.leased_until IS NULL OR ${leaseIsOver('w.leased_until')})
  AND EXISTS (SELECT FROM participants h WHERE h.id = w.participant_id AND h.state = 'ACTIVE')`;

/** One acknowledgement settles an event, whichever way it came, and with it whatever was known of failed pushes. */
export async function acknowledgeEvents(
  sql: SqlRunner,
  { shard, participant }: { readonly shard: Shard; readonly participant: string },
  ids: readonly string[],
  at: Date,
): Promise<void> {
  await sql.query(
    `WITH acked AS (
       UPDATE events SET acked_at = $4 WHERE shard = $1 AND participant_id = $2 AND id = ANY ($3::uuid[]) AND acked_at IS NULL RETURNING id
     )
     DELETE FROM event_pushes WHERE shard = $1 AND participant_id = $2 AND event = ANY ($3::uuid[])`,
    [shard, participant, ids, at],
    'acknowledge_events',
  );
}

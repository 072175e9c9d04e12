import type { EventKind } from '#contract';
import type { JsonObject } from '#evidence';
import { type Shard, shardOf } from '#kernel';
import type { Database } from '#platform';
import type { StoredEvent } from '../event.js';
import { type EventFailure, type EventQueue, retryAfterMs } from '../store.js';
import { acknowledgeEvents } from './webhook-rows.js';

interface EventRow {
  id: string;
  at: Date;
  origin_shard: Shard;
  origin_seq: bigint;
  kind: EventKind;
  subject_ref: string;
  body: JsonObject;
}

/** Reads and settles `events`; `PgStandingBook` writes them. No connection is held between two calls. */
export class PgEventQueue implements EventQueue {
  constructor(private readonly database: Database) {}

  async waiting(participant: string, countMax: number, at: Date): Promise<StoredEvent[]> {
    const rows = await this.database.query<EventRow>(
      `SELECT id, at, origin_shard, origin_seq, kind, subject_ref, body FROM events e
        WHERE shard = $1 AND participant_id = $2 AND acked_at IS NULL
          AND NOT EXISTS (SELECT FROM events held
                           WHERE held.shard = $1 AND held.participant_id = $2 AND held.subject_ref = e.subject_ref
                             AND held.acked_at IS NULL AND held.retry_at > $3
                             AND (held.at, held.origin_shard, held.origin_seq) <= (e.at, e.origin_shard, e.origin_seq))
        ORDER BY at, origin_shard, origin_seq LIMIT $4`,
      [shardOf(participant), participant, at, countMax],
    );
    return rows.map((row) => ({
      participant,
      id: row.id,
      kind: row.kind,
      ref: { shard: row.origin_shard, uuid: row.subject_ref },
      body: row.body,
      origin: { shard: row.origin_shard, seq: row.origin_seq, at: row.at },
    }));
  }

  async acknowledge(participant: string, ids: readonly string[], at: Date): Promise<void> {
    await acknowledgeEvents(this.database, { shard: shardOf(participant), participant }, ids, at);
  }

  async fail(participant: string, failures: ReadonlyMap<string, EventFailure>, at: Date): Promise<void> {
    await this.database.transaction(async (tx) => {
      // In the order of their ids, so that two polls at once take the rows in one order.
      for (const [id, failure] of [...failures].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const place = [shardOf(participant), participant, id];
        const [event] = await tx.query<{ failures: number }>(
          `SELECT failures FROM events WHERE shard = $1 AND participant_id = $2 AND id = $3 AND acked_at IS NULL FOR UPDATE`,
          place,
        );
        if (!event) continue;
        const retryAt = new Date(at.getTime() + retryAfterMs(event.failures));
        await tx.query(
          `UPDATE events SET failures = failures + 1, failure = $4, retry_at = $5 WHERE shard = $1 AND participant_id = $2 AND id = $3`,
          [...place, JSON.stringify(failure), retryAt],
        );
      }
    });
  }
}

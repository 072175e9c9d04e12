import type { EventKind } from '#contract';
import { type Fact, type Facts, type Shard, shardOf, SHARDS } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';
import { type Webhook, webhookFact } from '../delivery/webhook.js';
import {
  type Backlog,
  countedMax,
  type DeadLetter,
  type DueWebhook,
  type WebhookBook,
  type WebhookRule,
} from '../delivery/webhook-book.js';
import type { EventFailure } from '../store.js';
import { FREE, PUSHABLE, readWebhook, WEBHOOK_COLUMNS, type WebhookRow } from './webhook-rows.js';

interface DeadRow {
  readonly participant_id: string;
  readonly event: string;
  readonly kind: EventKind;
  readonly origin_shard: Shard;
  readonly subject_ref: string;
  readonly at: Date;
  readonly dead_at: Date;
  readonly failures: number;
  readonly failure: EventFailure;
}

/** Owns `webhooks` as their owners and operators see them. */
export class PgWebhookBook implements WebhookBook {
  constructor(private readonly database: Database) {}

  async find(participant: string): Promise<Webhook | undefined> {
    return await findWebhook(this.database, participant);
  }

  async list(): Promise<Webhook[]> {
    const rows = await this.database.query<WebhookRow>(
      `SELECT ${WEBHOOK_COLUMNS} FROM webhooks WHERE shard = ANY ($1::smallint[]) ORDER BY participant_id`,
      [SHARDS],
    );
    return rows.map(readWebhook);
  }

  async change(participant: string, rule: WebhookRule): Promise<Webhook | undefined> {
    return await this.database.transaction(async (tx) => {
      await tx.query('SELECT FROM (SELECT pg_advisory_xact_lock(hashtextextended($1, 0))) l', [`webhook:${participant}`]);
      const known = await findWebhook(tx, participant);
      const change = rule(known);
      if (!change) return known;
      await appendFacts(tx, [change.fact]);
      if (change.next) await saveWebhook(tx, change.next);
      else await tx.query('DELETE FROM webhooks WHERE shard = $1 AND participant_id = $2', [shardOf(participant), participant]);
      return change.next;
    });
  }

  async hurry(participant: string): Promise<void> {
    await this.database.query('UPDATE webhooks SET next_try_at = NULL WHERE shard = $1 AND participant_id = $2', [
      shardOf(participant),
      participant,
    ]);
  }

  async backlog(participants: readonly string[]): Promise<Map<string, Backlog>> {
    const rows = await this.database.query<{ id: string; waiting: bigint; failing: bigint; dead: bigint }>(
      `SELECT p.id,
              (SELECT count(*) FROM (SELECT FROM events e WHERE e.shard = p.shard AND e.participant_id = p.id AND e.acked_at IS NULL
                         AND e.dead_at IS NULL LIMIT $3) c) AS waiting,
              (SELECT count(*) FROM (SELECT FROM event_pushes f WHERE f.shard = p.shard AND f.participant_id = p.id AND f.dead_at IS NULL LIMIT $3) c) AS failing,
              (SELECT count(*) FROM (SELECT FROM event_pushes d WHERE d.shard = p.shard AND d.participant_id = p.id AND d.dead_at IS NOT NULL LIMIT $3) c) AS dead
         FROM unnest($1::text[], $2::smallint[]) AS p (id, shard)`,
      [participants, participants.map(shardOf), countedMax],
    );
    return new Map(
      rows.map(({ id, waiting, failing, dead }) => [id, { waiting: Number(waiting), failing: Number(failing), dead: Number(dead) }]),
    );
  }

  async deadLetters(
    participants: readonly string[],
    countMax: number,
    after?: Pick<DeadLetter, 'deadAt' | 'event'>,
  ): Promise<DeadLetter[]> {
    const rows = await this.database.query<DeadRow>(
      `SELECT d.participant_id, d.event, e.kind, d.origin_shard, d.subject_ref, d.at, d.dead_at, d.failures, d.failure
         FROM event_pushes d JOIN events e ON e.shard = d.shard AND e.participant_id = d.participant_id AND e.id = d.event
        WHERE d.shard = ANY ($1::smallint[]) AND d.participant_id = ANY ($2::text[]) AND d.dead_at IS NOT NULL
          AND ($3::timestamptz IS NULL OR (d.dead_at, d.event) > ($3, $4::uuid))
        ORDER BY d.dead_at, d.event LIMIT $5`,
      [[...new Set(participants.map(shardOf))], participants, after?.deadAt ?? null, after?.event ?? null, countMax],
    );
    return rows.map((row) => ({
      participant: row.participant_id,
      event: row.event,
      kind: row.kind,
      at: row.at,
      deadAt: row.dead_at,
      ref: { shard: row.origin_shard, uuid: row.subject_ref },
      failures: row.failures,
      failure: row.failure,
    }));
  }

  async resend(participant: string, events: readonly string[] | undefined, by: string, at: Date): Promise<number> {
    return await this.database.transaction(async (tx) => {
      const place = [shardOf(participant), participant, events ?? null];
      const dead = `shard = $1 AND participant_id = $2 AND dead_at IS NOT NULL AND ($3::uuid[] IS NULL OR event = ANY ($3))`;
      const [found] = await tx.query<{ n: bigint }>(`SELECT count(*) AS n FROM event_pushes WHERE ${dead}`, place);
      if (found!.n === 0n) return 0;
      const fact = webhookFact(participant, 'webhook.resent', { by, asked: Number(found!.n) });
      await appendFacts(tx, [fact]);
      // Its three days begin anew. Whoever asked at the same moment finds nothing more to send again.
      const again = await tx.query<{ event: string }>(
        `UPDATE event_pushes SET dead_at = NULL, failures = 0, first_failed_at = $4, retry_at = $4 WHERE ${dead} RETURNING event`,
        [...place, at],
      );
      await mark(
        tx,
        participant,
        again.map(({ event }) => event),
        null,
      );
      return again.length;
    });
  }

  async giveUp(before: Date, at: Date, countMax: number): Promise<number> {
    return await this.database.transaction(async (tx) => {
      const [alone] = await tx.query<{ got: boolean }>(`SELECT pg_try_advisory_xact_lock(hashtextextended('dead-letters', 0)) AS got`);
      if (!alone!.got) return 0;
      await unmarkResent(tx);
      const old = await stillWaiting(tx, await findGivenUp(tx, before, countMax));
      if (old.length === 0) return 0;
      await appendFacts(tx, old.map(deadFact) as unknown as Facts);
      await tx.query(
        `INSERT INTO event_pushes AS known (shard, participant_id, event, subject_ref, at, origin_shard, origin_seq,
                failures, first_failed_at, refused, failure, retry_at, dead_at)
         SELECT e.shard, e.participant_id, e.id, e.subject_ref, e.at, e.origin_shard, e.origin_seq, 0, $4, false,
                coalesce(w.failure, '{"err":"never_tried"}'), $4, $4
           FROM unnest($1::smallint[], $2::text[], $3::uuid[]) AS o (shard, participant_id, id)
           JOIN events e ON e.shard = o.shard AND e.participant_id = o.participant_id AND e.id = o.id AND e.acked_at IS NULL
           JOIN webhooks w ON w.shard = o.shard AND w.participant_id = o.participant_id
          ORDER BY e.id
         ON CONFLICT (shard, participant_id, event) DO UPDATE SET dead_at = excluded.dead_at`,
        [old.map(({ shard }) => shard), old.map((one) => one.participant_id), old.map(({ event }) => event), at],
      );
      for (const [participant, events] of byParticipant(old)) await mark(tx, participant, events, at);
      return old.length;
    });
  }

  async due(at: Date): Promise<readonly DueWebhook[]> {
    const rows = await this.database.query<{ participant_id: string; epoch: bigint; probe: boolean }>(
      `SELECT w.participant_id, w.epoch, (w.challenge IS NOT NULL OR w.failing_since IS NOT NULL) AS probe
         FROM webhooks w
        WHERE w.shard = ANY ($2::smallint[]) AND ${FREE} AND (w.challenge IS NOT NULL OR EXISTS (SELECT FROM events e WHERE ${PUSHABLE}))`,
      [at, SHARDS],
      'due_webhooks',
    );
    return rows.map(({ participant_id: participant, epoch, probe }) => ({ participant, epoch, probe }));
  }
}

async function findWebhook(sql: Database | Tx, participant: string): Promise<Webhook | undefined> {
  const [row] = await sql.query<WebhookRow>(`SELECT ${WEBHOOK_COLUMNS} FROM webhooks WHERE shard = $1 AND participant_id = $2`, [
    shardOf(participant),
    participant,
  ]);
  return row && readWebhook(row);
}

/** The epoch moves on: whoever works on the address as it was finds its lease lost. */
async function saveWebhook(
  tx: Tx,
  { participant, url, kinds, challenge, registeredAt, confirmedAt, paused, circuit }: Webhook,
): Promise<void> {
  await tx.query(
    `INSERT INTO webhooks AS known (shard, participant_id, url, kinds, challenge, registered_at, confirmed_at, paused_at, paused_why,
            failures, failing_since, next_try_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (shard, participant_id) DO UPDATE
        SET url = excluded.url, kinds = excluded.kinds, challenge = excluded.challenge, registered_at = excluded.registered_at,
            confirmed_at = excluded.confirmed_at, paused_at = excluded.paused_at, paused_why = excluded.paused_why,
            failures = excluded.failures, failing_since = excluded.failing_since, next_try_at = excluded.next_try_at,
            failure = CASE WHEN excluded.failures = 0 THEN NULL ELSE known.failure END, epoch = known.epoch + 1, leased_until = NULL`,
    [
      ...[shardOf(participant), participant, url, kinds, challenge ?? null, registeredAt, confirmedAt ?? null],
      ...[paused?.at ?? null, paused?.why ?? null, circuit.failures, circuit.failingSince ?? null, circuit.nextTryAt ?? null],
    ],
  );
}

interface GivenUp {
  readonly shard: Shard;
  readonly participant_id: string;
  readonly event: string;
  readonly kind: string;
}

/** What failed for the first time before then; and, where the endpoint is in trouble since before then, what waited for it all that time. */
async function findGivenUp(tx: Tx, before: Date, countMax: number): Promise<GivenUp[]> {
  const working = `w.challenge IS NULL AND w.paused_at IS NULL AND w.shard = ANY ($2::smallint[])
    AND EXISTS (SELECT FROM participants h WHERE h.id = w.participant_id AND h.state = 'ACTIVE')`;
  return await tx.query<GivenUp>(
    `(SELECT p.shard, p.participant_id, p.event, e.kind
        FROM webhooks w
        JOIN event_pushes p ON p.shard = w.shard AND p.participant_id = w.participant_id AND p.dead_at IS NULL AND p.first_failed_at <= $1
        JOIN events e ON e.shard = p.shard AND e.participant_id = p.participant_id AND e.id = p.event
       WHERE ${working} ORDER BY p.shard, p.participant_id, p.at LIMIT $3)
     UNION ALL
     (SELECT e.shard, e.participant_id, e.id AS event, e.kind
        FROM webhooks w
        JOIN events e ON e.shard = w.shard AND e.participant_id = w.participant_id AND e.acked_at IS NULL AND e.dead_at IS NULL
             AND e.at <= $1 AND (w.kinds = '{}' OR e.kind = ANY (w.kinds))
       WHERE ${working} AND w.failing_since <= $1 AND w.confirmed_at <= $1
         AND NOT EXISTS (SELECT FROM event_pushes p WHERE p.shard = e.shard AND p.participant_id = e.participant_id AND p.event = e.id)
       ORDER BY e.shard, e.participant_id, e.at LIMIT $3)
     LIMIT $3`,
    [before, SHARDS, countMax],
  );
}

/** Held to the end of the transaction, so that none is acknowledged while we give it up. */
async function stillWaiting(tx: Tx, found: readonly GivenUp[]): Promise<GivenUp[]> {
  if (found.length === 0) return [];
  return await tx.query<GivenUp>(
    `SELECT e.shard, e.participant_id, e.id AS event, e.kind
       FROM unnest($1::smallint[], $2::text[], $3::uuid[]) AS o (shard, participant_id, id)
       JOIN events e ON e.shard = o.shard AND e.participant_id = o.participant_id AND e.id = o.id
      WHERE e.acked_at IS NULL ORDER BY e.shard, e.participant_id, e.id FOR NO KEY UPDATE OF e`,
    [found.map(({ shard }) => shard), found.map((one) => one.participant_id), found.map(({ event }) => event)],
  );
}

/** Marks events as dead, or as alive again: see `PUSHABLE`. */
async function mark(tx: Tx, participant: string, events: readonly string[], deadAt: Date | null): Promise<void> {
  await tx.query(`UPDATE events SET dead_at = $4 WHERE shard = $1 AND participant_id = $2 AND id = ANY ($3::uuid[])`, [
    ...[shardOf(participant), participant, events, deadAt],
  ]);
}

/** The release before takes no mark off where it sends again. What fails now is little, so looking for such costs nothing. */
async function unmarkResent(tx: Tx): Promise<void> {
  await tx.query(
    `UPDATE events e SET dead_at = NULL FROM event_pushes p
      WHERE p.shard = ANY ($1::smallint[]) AND p.dead_at IS NULL
        AND e.shard = p.shard AND e.participant_id = p.participant_id AND e.id = p.event AND e.dead_at IS NOT NULL`,
    [SHARDS],
  );
}

function byParticipant(given: readonly GivenUp[]): Map<string, string[]> {
  const events = new Map<string, string[]>();
  for (const { participant_id: participant, event } of given) events.set(participant, [...(events.get(participant) ?? []), event]);
  return events;
}

function deadFact({ participant_id: participant, event, kind }: GivenUp): Fact {
  return webhookFact(participant, 'event.given_up', { event, kind });
}

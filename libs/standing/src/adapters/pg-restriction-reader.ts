import { type Shard, type ShardedId, SHARDS } from '#kernel';
import type { SqlRunner } from '#platform';
import type { Appeal } from '../appeal.js';
import type { OpenRetraction, RestrictionHistory, RestrictionReader } from '../appeal-store.js';
import type { EventFailure } from '../store.js';
import type { OrderRequest } from '../staff-order.js';
import { APPEAL_COLUMNS, type AppealRow, ORDER_COLUMNS, type OrderRow, readAppeal, readOrder } from './appeal-rows.js';
import { readRestriction, type RestrictionJson } from './restriction-json.js';

interface RetractionRow {
  readonly id: string;
  readonly participant_id: string;
  readonly origin_shard: Shard;
  readonly subject: string;
  readonly restriction: string | null;
  readonly record: string | null;
  readonly at: Date;
  readonly failures: number;
  readonly failure: EventFailure | null;
  readonly retry_at: Date | null;
  readonly dead_at: Date | null;
}

/** Lists for people. What spans shards reads the small partial indexes of what is open. */
export class PgRestrictionReader implements RestrictionReader {
  constructor(private readonly sql: SqlRunner) {}

  async ofSubject({ shard, uuid }: ShardedId): Promise<RestrictionHistory[] | undefined> {
    const place = [shard, uuid];
    const [restrictions, appeals] = await Promise.all([
      this.sql.query<{ json: RestrictionJson }>(
        'SELECT to_json(r) AS json FROM restrictions r WHERE shard = $1 AND subject = $2 ORDER BY starts_at DESC, id DESC',
        place,
      ),
      this.sql.query<AppealRow>(`SELECT ${APPEAL_COLUMNS} FROM restriction_appeals WHERE shard = $1 AND subject = $2`, place),
    ]);
    if (restrictions.length === 0 && !(await this.isRegistered(place))) return undefined;
    const byRestriction = new Map(appeals.map((row) => [row.restriction, readAppeal(row)]));
    return restrictions.map(({ json }) => ({
      restriction: readRestriction(json),
      liftedAt: json.lifted_at === null ? undefined : new Date(json.lifted_at),
      liftedWhy: json.lifted_why ?? undefined,
      appeal: byRestriction.get(json.id),
    }));
  }

  async openAppeals(countMax: number): Promise<Appeal[]> {
    const rows = await this.sql.query<AppealRow>(
      `SELECT ${APPEAL_COLUMNS} FROM restriction_appeals WHERE shard = ANY ($1::smallint[]) AND state = 'OPEN' ORDER BY due_at, id LIMIT $2`,
      [SHARDS, countMax],
    );
    return rows.map(readAppeal);
  }

  async appealsToRemind(at: Date, countMax: number): Promise<Appeal[]> {
    const rows = await this.sql.query<AppealRow>(
      `SELECT ${APPEAL_COLUMNS} FROM restriction_appeals
        WHERE shard = ANY ($1::smallint[]) AND state = 'OPEN' AND reminded_at IS NULL AND remind_at <= $2 ORDER BY due_at, id LIMIT $3`,
      [SHARDS, at, countMax],
    );
    return rows.map(readAppeal);
  }

  async waitingOrders(countMax: number): Promise<OrderRequest[]> {
    const rows = await this.sql.query<OrderRow>(
      `SELECT ${ORDER_COLUMNS} FROM restriction_orders WHERE shard = ANY ($1::smallint[]) AND state = 'WAITING' ORDER BY asked_at, id LIMIT $2`,
      [SHARDS, countMax],
    );
    return rows.map(readOrder);
  }

  async openRetractions(countMax: number): Promise<OpenRetraction[]> {
    const rows = await this.sql.query<RetractionRow>(
      `SELECT e.id, e.participant_id, e.origin_shard, e.restriction, e.body ->> 'record' AS record, e.at, l.subject,
              e.failures + coalesce(p.failures, 0) AS failures, coalesce(p.failure, e.failure) AS failure,
              coalesce(p.retry_at, e.retry_at) AS retry_at, p.dead_at
         FROM events e JOIN links l ON l.shard = e.origin_shard AND l.ref = e.subject_ref
         LEFT JOIN event_pushes p ON p.shard = e.shard AND p.participant_id = e.participant_id AND p.event = e.id
        WHERE e.shard = ANY ($1::smallint[]) AND e.kind IN ('restriction.lifted', 'record.withdrawn') AND e.acked_at IS NULL
        ORDER BY e.at, e.id LIMIT $2`,
      [SHARDS, countMax],
    );
    return rows.map(readRetraction);
  }

  private async isRegistered(place: readonly unknown[]): Promise<boolean> {
    return (await this.sql.query('SELECT FROM subjects WHERE shard = $1 AND subject = $2', place)).length > 0;
  }
}

function readRetraction(row: RetractionRow): OpenRetraction {
  return {
    event: row.id,
    participant: row.participant_id,
    subject: { shard: row.origin_shard, uuid: row.subject },
    restriction: row.restriction ?? undefined,
    record: row.restriction === null ? (row.record ?? undefined) : undefined,
    since: row.at,
    failures: row.failures,
    failure: row.failure ? `${row.failure.err}${row.failure.description ? `: ${row.failure.description}` : ''}` : undefined,
    retryAt: row.retry_at ?? undefined,
    deadAt: row.dead_at ?? undefined,
  };
}

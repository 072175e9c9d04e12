import type { ShardedId } from '#kernel';
import type { Tx } from '#platform';
import type { Appeal } from '../appeal.js';
import type { AppealBook } from '../appeal-store.js';
import type { ImposedRestriction } from '../imposed.js';
import { orderText } from '../order-text.js';
import type { OrderRequest } from '../staff-order.js';
import { APPEAL_COLUMNS, type AppealRow, ORDER_COLUMNS, type OrderRow, readAppeal, readOrder } from './appeal-rows.js';
import { readRestriction, type RestrictionJson } from './restriction-json.js';

/** Owns `restriction_appeals` and `restriction_orders`. */
export class PgAppealBook implements AppealBook {
  constructor(private readonly tx: Tx) {}

  async appealOf({ shard, uuid }: ShardedId, restriction: string): Promise<Appeal | undefined> {
    const [row] = await this.tx.query<AppealRow>(
      `SELECT ${APPEAL_COLUMNS} FROM restriction_appeals WHERE shard = $1 AND subject = $2 AND restriction = $3`,
      [shard, uuid, restriction],
    );
    return row && readAppeal(row);
  }

  async saveAppeal({ subject, restriction, id, caller, key, grounds, ...rest }: Appeal): Promise<void> {
    const { openedAt, dueAt, remindAt, remindedAt, state, answeredAt } = rest;
    await this.tx.query(
      `INSERT INTO restriction_appeals (shard, subject, restriction, id, caller, idempotency_key, grounds_code, evidence_digest, opened_at, due_at,
         remind_at, reminded_at, state, answered_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
       ON CONFLICT (shard, subject, restriction) DO UPDATE
         SET reminded_at = excluded.reminded_at, state = excluded.state, answered_at = excluded.answered_at`,
      [
        ...[subject.shard, subject.uuid, restriction, id, caller, key, grounds.code, grounds.evidenceDigest ?? null],
        ...[openedAt, dueAt, remindAt, remindedAt ?? null, state, answeredAt ?? null],
      ],
    );
  }

  async order({ shard, uuid }: ShardedId, id: string): Promise<OrderRequest | undefined> {
    const [row] = await this.tx.query<OrderRow>(
      `SELECT ${ORDER_COLUMNS} FROM restriction_orders WHERE shard = $1 AND subject = $2 AND id = $3`,
      [shard, uuid, id],
    );
    return row && readOrder(row);
  }

  async orderByKey({ shard, uuid }: ShardedId, by: string, key: string): Promise<OrderRequest | undefined> {
    const [row] = await this.tx.query<OrderRow>(
      `SELECT ${ORDER_COLUMNS} FROM restriction_orders WHERE shard = $1 AND subject = $2 AND asked_by = $3 AND key = $4`,
      [shard, uuid, by, key],
    );
    return row && readOrder(row);
  }

  async saveOrder({ subject, id, key, order, by, askedAt, state, decidedBy, decidedAt }: OrderRequest): Promise<void> {
    await this.tx.query(
      `INSERT INTO restriction_orders (shard, subject, id, key, content, asked_by, asked_at, state, decided_by, decided_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       ON CONFLICT (shard, subject, id) DO UPDATE
         SET state = excluded.state, decided_by = excluded.decided_by, decided_at = excluded.decided_at`,
      [subject.shard, subject.uuid, id, key, orderText(order), by, askedAt, state, decidedBy ?? null, decidedAt ?? null],
    );
  }

  async restriction({ shard, uuid }: ShardedId, id: string): Promise<ImposedRestriction | undefined> {
    const [row] = await this.tx.query<{ json: RestrictionJson }>(
      `SELECT to_json(r) AS json FROM restrictions r WHERE shard = $1 AND subject = $2 AND id = $3`,
      [shard, uuid, id],
    );
    return row && readRestriction(row.json);
  }
}

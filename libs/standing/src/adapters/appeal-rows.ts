import type { Shard } from '#kernel';
import type { Appeal, AppealState } from '../appeal.js';
import { readOrderText } from '../order-text.js';
import type { OrderRequest } from '../staff-order.js';

export interface AppealRow {
  readonly shard: Shard;
  readonly subject: string;
  readonly restriction: string;
  readonly id: string;
  readonly caller: string;
  readonly idempotency_key: string;
  readonly grounds_code: string;
  readonly evidence_digest: string | null;
  readonly opened_at: Date;
  readonly due_at: Date;
  readonly remind_at: Date;
  readonly reminded_at: Date | null;
  readonly state: AppealState;
  readonly answered_at: Date | null;
}

export const APPEAL_COLUMNS = `shard, subject, restriction, id, caller, idempotency_key, grounds_code, evidence_digest, opened_at, due_at,
  remind_at, reminded_at, state, answered_at`;

export function readAppeal(row: AppealRow): Appeal {
  return {
    id: row.id,
    subject: { shard: row.shard, uuid: row.subject },
    restriction: row.restriction,
    caller: row.caller,
    key: row.idempotency_key,
    grounds: { code: row.grounds_code, ...(row.evidence_digest === null ? {} : { evidenceDigest: row.evidence_digest }) },
    openedAt: row.opened_at,
    dueAt: row.due_at,
    remindAt: row.remind_at,
    remindedAt: row.reminded_at ?? undefined,
    state: row.state,
    answeredAt: row.answered_at ?? undefined,
  };
}

export interface OrderRow {
  readonly shard: Shard;
  readonly subject: string;
  readonly id: string;
  readonly key: string;
  readonly content: unknown;
  readonly asked_by: string;
  readonly asked_at: Date;
  readonly state: OrderRequest['state'];
  readonly decided_by: string | null;
  readonly decided_at: Date | null;
}

export const ORDER_COLUMNS = 'shard, subject, id, key, content, asked_by, asked_at, state, decided_by, decided_at';

export function readOrder(row: OrderRow): OrderRequest {
  return {
    id: row.id,
    subject: { shard: row.shard, uuid: row.subject },
    order: readOrderText(row.content),
    by: row.asked_by,
    key: row.key,
    askedAt: row.asked_at,
    state: row.state,
    decidedBy: row.decided_by ?? undefined,
    decidedAt: row.decided_at ?? undefined,
  };
}

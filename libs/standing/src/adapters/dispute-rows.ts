import type { DisputableKind, DisputeCode, DisputeState } from '#contract';
import type { Shard } from '#kernel';
import { type Dispute, type DisputeAnswer, type DisputeClock, type DisputeOutcome, type DisputeTreatment, nextRing } from '#records';

export interface DisputeRow {
  readonly shard: Shard;
  readonly subject: string;
  readonly id: string;
  readonly iss: string;
  readonly jti: string;
  readonly root_jti: string;
  readonly kind: DisputableKind;
  readonly ref: string;
  readonly record_seq: bigint;
  readonly opened_by: Dispute['openedBy'];
  readonly caller: string;
  readonly idempotency_key: string | null;
  readonly code: DisputeCode;
  readonly statement_digest: string | null;
  readonly treatment: DisputeTreatment;
  readonly opened_at: Date;
  readonly opened_seq: bigint;
  readonly notice_by: Date;
  readonly due_soon_at: Date;
  readonly due_at: Date;
  readonly added_digest: string | null;
  readonly added_at: Date | null;
  readonly state: DisputeState;
  readonly answer: DisputeAnswer | null;
  readonly answered_at: Date | null;
  readonly outcome: DisputeOutcome | null;
  readonly closed_at: Date | null;
  readonly closed_seq: bigint | null;
  readonly result_by: Date | null;
  readonly rung: readonly DisputeClock[];
}

export const DISPUTE_COLUMNS = `shard, subject, id, iss, jti, root_jti, kind, ref, record_seq, opened_by, caller, idempotency_key, code,
  statement_digest, treatment, opened_at, opened_seq, notice_by, due_soon_at, due_at, added_digest, added_at, state, answer, answered_at, outcome,
  closed_at, closed_seq, result_by, rung`;

export function readDispute(row: DisputeRow): Dispute {
  return {
    id: row.id,
    subject: { shard: row.shard, uuid: row.subject },
    record: { iss: row.iss, jti: row.jti, rootJti: row.root_jti, kind: row.kind, ref: row.ref, factSeq: row.record_seq },
    openedBy: row.opened_by,
    caller: row.caller,
    key: row.idempotency_key ?? undefined,
    code: row.code,
    statementDigest: row.statement_digest ?? undefined,
    treatment: row.treatment,
    openedAt: row.opened_at,
    openedSeq: row.opened_seq,
    noticeBy: row.notice_by,
    dueSoonAt: row.due_soon_at,
    dueAt: row.due_at,
    added: row.added_digest === null ? undefined : { statementDigest: row.added_digest, at: row.added_at! },
    state: row.state,
    answer: row.answer ?? undefined,
    answeredAt: row.answered_at ?? undefined,
    outcome: row.outcome ?? undefined,
    closedAt: row.closed_at ?? undefined,
    closedSeq: row.closed_seq ?? undefined,
    resultBy: row.result_by ?? undefined,
    rung: row.rung,
  };
}

/** In the order of DISPUTE_COLUMNS; then when the next clock rings. */
export function disputeValues(one: Dispute): unknown[] {
  const { subject, record } = one;
  return [
    ...[subject.shard, subject.uuid, one.id, record.iss, record.jti, record.rootJti, record.kind, record.ref, record.factSeq],
    ...[one.openedBy, one.caller, one.key ?? null, one.code, one.statementDigest ?? null, JSON.stringify(one.treatment)],
    ...[one.openedAt, one.openedSeq, one.noticeBy, one.dueSoonAt, one.dueAt, one.added?.statementDigest ?? null, one.added?.at ?? null],
    ...[one.state, one.answer ? JSON.stringify(one.answer) : null, one.answeredAt ?? null, one.outcome ?? null],
    ...[one.closedAt ?? null, one.closedSeq ?? null, one.resultBy ?? null, one.rung, nextRing(one)?.at ?? null],
  ];
}

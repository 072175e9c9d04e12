import type { DecisionRow } from '#decisions';
import type { Shard, ShardedId } from '#kernel';

/** A credit record as it was accepted. `payload` is what the issuer signed. */
export interface RecordRow {
  readonly shard: Shard;
  readonly iss: string;
  readonly jti: string;
  readonly seq: bigint;
  readonly kind: string;
  readonly names: string | null;
  readonly accepted_at: Date;
  readonly fact_seq: bigint;
  readonly payload: unknown;
}

export interface VersionRow {
  readonly shard: Shard;
  readonly version: bigint;
  readonly at: Date;
  readonly content: VersionContent;
  readonly cause_iss: string | null;
  readonly cause_jti: string | null;
  readonly fact_seq: bigint;
}

/** What a standing's version consists of (`contentOf` in the room `standing`). */
export interface VersionContent {
  readonly score: number;
  readonly scorecard: { readonly version: string };
  readonly factors: readonly { readonly code: string; readonly text: string }[];
  readonly restrictions: readonly { readonly id: string; readonly step: string }[];
}

export interface RestrictionRow {
  readonly shard: Shard;
  readonly id: string;
  readonly step: string;
  readonly services: readonly string[];
  readonly limit_percent: number | null;
  readonly reason_code: string;
  readonly reason_text: string;
  readonly cause_iss: string;
  readonly cause_jti: string;
  readonly starts_at: Date;
  readonly ends_at: Date | null;
  readonly lifted_at: Date | null;
  readonly lifted_why: string | null;
}

export interface ReservationRow {
  readonly shard: Shard;
  readonly reservation: string;
  readonly state: 'RESERVED' | 'CONFIRMED' | 'RELEASED' | 'EXPIRED';
  readonly service: string;
  readonly currency: string;
  readonly amount_minor: bigint;
  readonly confirmed_minor: bigint;
  readonly refunded_minor: bigint;
  readonly payment_reference: string | null;
  readonly channel: string | null;
  readonly expires_at: Date;
  readonly confirmed_at: Date | null;
}

/** What a statement says of a payment, or that it says nothing. */
export interface StatementRow {
  readonly shard: Shard;
  readonly reconciliation: string;
  readonly participant: string;
  readonly received_at: Date;
  readonly n: number;
  readonly kind: string;
  readonly reason: string;
  readonly identified_by: string | null;
  readonly payment: string | null;
  readonly payment_reference: string | null;
  readonly line_minor: bigint | null;
  readonly line_currency: string | null;
  readonly line_reference: string | null;
  readonly booked_day: string | null;
  readonly file_line: number | null;
}

export interface ReconciliationRow {
  readonly shard: Shard;
  readonly id: string;
  readonly participant: string;
  readonly digest: Uint8Array;
  readonly received_at: Date;
  readonly closed_at: Date | null;
  readonly state: string;
  readonly lines_total: number;
  readonly lines_read: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface SubjectRow {
  readonly id: ShardedId;
  readonly kind: string;
  readonly score: number | null;
  readonly version: bigint | null;
  readonly restrictions: number;
}

/** Everything that belongs into one trace. */
export interface TraceRows {
  readonly records: readonly RecordRow[];
  readonly versions: readonly VersionRow[];
  readonly restrictions: readonly RestrictionRow[];
  readonly decisions: readonly DecisionRow[];
  readonly reservations: readonly ReservationRow[];
  readonly statements: readonly StatementRow[];
  readonly reconciliations: readonly ReconciliationRow[];
}

export const NO_ROWS: TraceRows = {
  records: [],
  versions: [],
  restrictions: [],
  decisions: [],
  reservations: [],
  statements: [],
  reconciliations: [],
};

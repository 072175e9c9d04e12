import { type ShardedId, shardOf, SHARDS } from '#kernel';
import type { DecisionRow } from '#decisions';
import { DECISION_COLUMNS, readDecision, type StoredDecision } from '#decisions/adapters/pg-decision-ledger';
import type { SqlRunner } from '#platform';
import type {
  ReconciliationRow,
  RecordRow,
  ReservationRow,
  RestrictionRow,
  StatementRow,
  SubjectRow,
  VersionRow,
} from '../trace/trace-rows.js';

/** The most rows of one kind in a trace. */
export const traceRowsMax = 50;

const RECORD = 'shard, iss, jti, seq, kind, names, accepted_at, fact_seq, jws, subject';
const VERSION = 'shard, version, at, content, cause_iss, cause_jti, fact_seq';
const RESTRICTION =
  'shard, id, step, services, limit_percent, reason_code, reason_text, cause_iss, cause_jti, starts_at, ends_at, lifted_at, lifted_why';
const RESERVATION =
  'shard, reservation, subject, state, service, currency, amount_minor, confirmed_minor, refunded_minor, payment_reference, channel, expires_at, confirmed_at';
const RECONCILIATION = 'shard, id, participant, digest, received_at, closed_at, state, lines_total, lines_read, counts';
const STATEMENT = `o.shard, o.reconciliation, o.n, o.kind, o.reason, o.identified_by, o.payment, o.payment_reference,
  r.participant, r.received_at, l.minor AS line_minor, l.currency AS line_currency, l.end_to_end_id AS line_reference, l.booked_day, l.file_line
  FROM reconciliation_outcomes o
  JOIN reconciliations r ON r.shard = o.shard AND r.id = o.reconciliation
  LEFT JOIN statement_lines l ON l.shard = o.shard AND l.reconciliation = o.reconciliation AND l.n = o.line`;

type Owned<Row> = { readonly row: Row; readonly subject: ShardedId };

/** Reads across rooms for the trace, by keys and never to write. Every statement names its shards. */
export class PgTraceReader {
  constructor(private readonly sql: SqlRunner) {}

  async subject(id: ShardedId): Promise<SubjectRow | undefined> {
    const [row] = await this.sql.query<{ kind: string; score: number | null; version: bigint | null; restrictions: bigint }>(
      `SELECT s.kind, t.score, t.version,
              (SELECT count(*) FROM restrictions r WHERE r.shard = s.shard AND r.subject = s.subject AND r.lifted_at IS NULL
                  AND (r.ends_at IS NULL OR r.ends_at > clock_timestamp())) AS restrictions
         FROM subjects s LEFT JOIN standings t ON t.shard = s.shard AND t.subject = s.subject
        WHERE s.shard = $1 AND s.subject = $2`,
      [id.shard, id.uuid],
    );
    return row && { id, ...row, restrictions: Number(row.restrictions) };
  }

  async subjectOfLink(ref: ShardedId): Promise<ShardedId | undefined> {
    const [row] = await this.sql.query<{ subject: string }>('SELECT subject FROM links WHERE shard = $1 AND ref = $2', [
      ref.shard,
      ref.uuid,
    ]);
    return row && { shard: ref.shard, uuid: row.subject };
  }

  async subjectOf(table: 'consents' | 'disputes', { shard, uuid }: ShardedId): Promise<ShardedId | undefined> {
    const [row] = await this.sql.query<{ subject: string }>(`SELECT subject FROM ${table} WHERE shard = $1 AND id = $2`, [shard, uuid]);
    return row && { shard, uuid: row.subject };
  }

  /** An event stands on the participant's shard and tells of a subject on the shard of its origin. */
  async subjectOfEvent(event: ShardedId): Promise<ShardedId | undefined> {
    const [row] = await this.sql.query<{ origin_shard: ShardedId['shard']; subject_ref: string }>(
      `SELECT origin_shard, subject_ref FROM events
        WHERE shard = $1 AND participant_id IN (SELECT id FROM participants) AND id = $2`,
      [event.shard, event.uuid],
    );
    return row && this.subjectOfLink({ shard: row.origin_shard, uuid: row.subject_ref });
  }

  async decision(id: ShardedId): Promise<DecisionRow | undefined> {
    const [row] = await this.sql.query<StoredDecision>(
      `SELECT ${DECISION_COLUMNS} FROM decisions t WHERE t.shard = $1 AND t.decision = $2`,
      [id.shard, id.uuid],
    );
    return row && readDecision(row);
  }

  async decisionsOf(subject: ShardedId, standingVersion?: bigint): Promise<DecisionRow[]> {
    const rows = await this.sql.query<StoredDecision>(
      `SELECT ${DECISION_COLUMNS} FROM decisions t
        WHERE t.shard = $1 AND t.subject = $2 AND ($3::bigint IS NULL OR t.standing_version = $3) ORDER BY t.seq DESC LIMIT $4`,
      [subject.shard, subject.uuid, standingVersion ?? null, traceRowsMax],
    );
    return rows.map(readDecision);
  }

  /** Of these decisions, with the parts that were spent of those that are allowances. */
  reservations(shard: ShardedId['shard'], ids: readonly string[]): Promise<ReservationRow[]> {
    return this.sql.query<ReservationRow>(
      `SELECT ${RESERVATION} FROM reservations WHERE shard = $1 AND (reservation = ANY ($2::uuid[]) OR allowance = ANY ($2::uuid[]))`,
      [shard, ids],
    );
  }

  /** The ids of their decisions: a part of an allowance belongs to the allowance's. */
  async decisionsByReference(reference: string): Promise<ShardedId[]> {
    const rows = await this.sql.query<Pick<ReservationRow, 'shard' | 'reservation'>>(
      `SELECT r.* FROM unnest($1::smallint[]) AS p (shard)
        CROSS JOIN LATERAL (
          SELECT t.shard, coalesce(t.allowance, t.reservation) AS reservation FROM reservations t
           WHERE t.shard = p.shard AND t.payment_reference = $2
        ) r LIMIT $3`,
      [SHARDS, reference, traceRowsMax],
    );
    return rows.map(({ shard, reservation }) => ({ shard, uuid: reservation }));
  }

  /** `jti` is unique per issuer, and issuers are few: one look-up for each. */
  async recordsByJti(jti: string): Promise<Owned<RecordRow>[]> {
    const issuers = await this.sql.query<{ id: string }>('SELECT id FROM participants');
    const ids = issuers.map(({ id }) => id);
    const rows = await this.sql.query<RawRecord>(
      `SELECT r.* FROM unnest($1::text[], $2::smallint[]) AS p (iss, shard)
         JOIN record_identities i ON i.shard = p.shard AND i.iss = p.iss AND i.jti = $3
        CROSS JOIN LATERAL (SELECT ${RECORD} FROM records t WHERE t.shard = i.subject_shard AND t.ref = i.ref AND t.jti = i.jti) r`,
      [ids, ids.map(shardOf), jti],
    );
    return rows.map((row) => ({ row: toRecord(row), subject: { shard: row.shard, uuid: row.subject } }));
  }

  async recordsOf(subject: ShardedId, jtis?: readonly string[]): Promise<RecordRow[]> {
    const rows = await this.sql.query<RawRecord>(
      `SELECT ${RECORD} FROM records WHERE shard = $1 AND subject = $2 AND ($3::uuid[] IS NULL OR jti = ANY ($3)) ORDER BY fact_seq DESC LIMIT $4`,
      [subject.shard, subject.uuid, jtis ?? null, traceRowsMax],
    );
    return rows.map(toRecord);
  }

  versionsOf(subject: ShardedId, only: { readonly version?: bigint; readonly causeJti?: string } = {}): Promise<VersionRow[]> {
    return this.sql.query<VersionRow>(
      `SELECT ${VERSION} FROM standing_versions
        WHERE shard = $1 AND subject = $2 AND ($3::bigint IS NULL OR version = $3) AND ($4::uuid IS NULL OR cause_jti = $4)
        ORDER BY version DESC LIMIT $5`,
      [subject.shard, subject.uuid, only.version ?? null, only.causeJti ?? null, traceRowsMax],
    );
  }

  restrictionsOf(
    subject: ShardedId,
    only: { readonly ids?: readonly string[]; readonly causeJti?: string } = {},
  ): Promise<RestrictionRow[]> {
    return this.sql.query<RestrictionRow>(
      `SELECT ${RESTRICTION} FROM restrictions
        WHERE shard = $1 AND subject = $2 AND ($3::uuid[] IS NULL OR id = ANY ($3)) AND ($4::uuid IS NULL OR cause_jti = $4)
        ORDER BY starts_at DESC LIMIT $5`,
      [subject.shard, subject.uuid, only.ids ?? null, only.causeJti ?? null, traceRowsMax],
    );
  }

  /** Outcomes stand on the shard of the participant whose statement it is, so every shard is asked, by an index on the reference. */
  statementsByReferences(references: readonly string[]): Promise<StatementRow[]> {
    if (references.length === 0) return Promise.resolve([]);
    return this.sql.query<StatementRow>(
      `SELECT ${STATEMENT} WHERE o.shard = ANY ($1::smallint[]) AND o.payment_reference = ANY ($2::text[]) ORDER BY r.received_at LIMIT $3`,
      [SHARDS, references, traceRowsMax],
    );
  }

  async reconciliation(id: ShardedId): Promise<ReconciliationRow | undefined> {
    const [row] = await this.sql.query<ReconciliationRow>(`SELECT ${RECONCILIATION} FROM reconciliations WHERE shard = $1 AND id = $2`, [
      id.shard,
      id.uuid,
    ]);
    return row;
  }

  breaksOf(id: ShardedId): Promise<StatementRow[]> {
    return this.sql.query<StatementRow>(
      `SELECT ${STATEMENT} WHERE o.shard = $1 AND o.reconciliation = $2 AND o.kind <> 'MATCHED' ORDER BY o.n LIMIT $3`,
      [id.shard, id.uuid, traceRowsMax],
    );
  }

  /** Facts name things by their bare UUID; this says which thing of which shard it is. */
  async ownerOfUuid(uuid: string): Promise<{ kind: 'decision' | 'subject' | 'reconciliation'; id: ShardedId } | undefined> {
    const [row] = await this.sql.query<{ kind: 'decision' | 'subject' | 'reconciliation'; shard: ShardedId['shard'] }>(
      `SELECT 'decision' AS kind, shard FROM decisions WHERE shard = ANY ($1::smallint[]) AND decision = $2
       UNION ALL SELECT 'reconciliation', shard FROM reconciliations WHERE shard = ANY ($1::smallint[]) AND id = $2
       UNION ALL SELECT 'subject', shard FROM subjects WHERE shard = $3 AND subject = $2`,
      [SHARDS, uuid, shardOf(uuid)],
    );
    return row && { kind: row.kind, id: { shard: row.shard, uuid } };
  }
}

type RawRecord = Omit<RecordRow, 'payload'> & { readonly jws: Uint8Array; readonly subject: string };

/** The payload was verified and read strictly when the record was accepted; here it is only shown. */
function toRecord({ jws, subject: _subject, ...row }: RawRecord): RecordRow {
  const [, payload = ''] = Buffer.from(jws).toString('latin1').split('.');
  return { ...row, payload: JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) };
}

import { type Shard, type ShardedId, SHARDS } from '#kernel';
import type { SqlRunner } from '#platform';
import type { Dispute } from '#records';
import type {
  DisputeFile,
  DisputeNotice,
  DisputePage,
  DisputeReader,
  RecordPage,
  SubjectRecord,
  SubjectRecordState,
} from '../dispute/dispute-store.js';
import { DISPUTE_COLUMNS, type DisputeRow, readDispute } from './dispute-rows.js';

interface NoticeRow {
  readonly dispute: string;
  readonly event: string;
  readonly participant_id: string;
  readonly kind: string;
  readonly at: Date;
  readonly acked_at: Date | null;
}

interface RecordRow {
  readonly iss: string;
  readonly jti: string;
  readonly kind: SubjectRecord['kind'];
  readonly issued_at: Date;
  readonly accepted_at: Date;
  readonly fact_seq: bigint;
  readonly state: SubjectRecordState | null;
  readonly names: string | null;
  readonly as_of: Date | null;
  readonly valid_until: Date | null;
  readonly dispute: string | null;
}

const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const LAST_FACT = 9_223_372_036_854_775_807n;

/** What ended a record is another record that names it, or its dispute; whatever nothing ended, and does not count, is past its validity. */
const RECORDS = `
  WITH ended AS MATERIALIZED (
    SELECT iss, names AS jti, CASE kind WHEN 'correction' THEN 'CORRECTED' WHEN 'clearance' THEN 'CLEARED' ELSE 'WITHDRAWN' END AS state
      FROM records WHERE shard = $1 AND subject = $2 AND names IS NOT NULL
     UNION ALL
    SELECT iss, jti, CASE outcome WHEN 'SILENT' THEN 'REMOVED' ELSE 'WITHDRAWN' END
      FROM disputes WHERE shard = $1 AND subject = $2 AND outcome IN ('SILENT', 'WITHDRAWN'))
  SELECT r.iss, r.jti, r.kind, r.issued_at, r.accepted_at, r.fact_seq, r.names, f.as_of, f.valid_until, d.id AS dispute,
         CASE WHEN f.valid_until > now() THEN 'IN_FORCE'
              WHEN r.kind IN ('rating', 'performance', 'violation', 'correction')
              THEN coalesce((SELECT min(e.state) FROM ended e WHERE e.iss = r.iss AND e.jti = r.jti), 'EXPIRED') END AS state
    FROM records r
    LEFT JOIN records_in_force f ON f.shard = r.shard AND f.subject = r.subject AND f.iss = r.iss AND f.jti = r.jti
    LEFT JOIN disputes d ON d.shard = f.shard AND d.subject = f.subject AND d.iss = f.iss AND d.root_jti = f.root_jti AND d.state <> 'CLOSED'
   WHERE r.shard = $1 AND r.subject = $2 AND r.fact_seq < $3 AND (f.valid_until > now() OR NOT $5)
   ORDER BY r.fact_seq DESC LIMIT $4`;

/** Lists for people and the clock's question. What spans shards reads the small partial indexes of what is unsettled. */
export class PgDisputeReader implements DisputeReader {
  constructor(private readonly sql: SqlRunner) {}

  async ofSubject({ shard, uuid }: ShardedId, { after, countMax, state }: DisputePage): Promise<DisputeFile[] | undefined> {
    const place = [shard, uuid, after ?? LAST_UUID, state ?? null, countMax];
    const where = 'shard = $1 AND subject = $2 AND id < $3 AND ($4::text IS NULL OR state = $4) ORDER BY id DESC LIMIT $5';
    const disputes = await this.select(where, place);
    if (disputes.length === 0 && !(await this.isRegistered([shard, uuid]))) return undefined;
    return await this.filesOf(disputes);
  }

  async recordsOf({ shard, uuid }: ShardedId, { after, countMax, inForce }: RecordPage): Promise<SubjectRecord[] | undefined> {
    const rows = await this.sql.query<RecordRow>(RECORDS, [shard, uuid, after ?? LAST_FACT, countMax, inForce]);
    if (rows.length === 0 && !(await this.isRegistered([shard, uuid]))) return undefined;
    return rows.map(readRecord);
  }

  async find({ shard, uuid }: ShardedId): Promise<DisputeFile | undefined> {
    return (await this.filesOf(await this.select('shard = $1 AND id = $2', [shard, uuid])))[0];
  }

  async open(countMax: number): Promise<DisputeFile[]> {
    const disputes = await this.select(`shard = ANY ($1::smallint[]) AND state <> 'CLOSED' ORDER BY due_at, id LIMIT $2`, [
      SHARDS,
      countMax,
    ]);
    const unheard = await this.sql.query<DisputeRow>(
      `SELECT ${DISPUTE_COLUMNS} FROM disputes d
        WHERE shard = ANY ($1::smallint[]) AND state = 'CLOSED'
          AND EXISTS (SELECT FROM dispute_notices n JOIN events e ON e.shard = n.participant_shard AND e.participant_id = n.participant_id AND e.id = n.event
                       WHERE n.shard = d.shard AND n.dispute = d.id AND e.acked_at IS NULL)
        ORDER BY closed_at, id LIMIT $2`,
      [SHARDS, Math.max(0, countMax - disputes.length)],
    );
    return await this.filesOf([...disputes, ...unheard.map(readDispute)]);
  }

  async ofIssuer(iss: string, { after, countMax, state }: DisputePage): Promise<Dispute[]> {
    const rows = await this.sql.query<DisputeRow>(
      `SELECT d.* FROM unnest($1::smallint[]) AS s (shard)
         CROSS JOIN LATERAL (SELECT ${DISPUTE_COLUMNS} FROM disputes d
                              WHERE d.shard = s.shard AND d.iss = $2 AND d.id < $3 AND ($5::text IS NULL OR d.state = $5)
                              ORDER BY d.id DESC LIMIT $4) d
        ORDER BY d.id DESC LIMIT $4`,
      [SHARDS, iss, after ?? LAST_UUID, countMax, state ?? null],
    );
    return rows.map(readDispute);
  }

  async due(at: Date, countMax: number): Promise<{ readonly id: ShardedId; readonly at: Date }[]> {
    // A process whose clock was set back is not believed: a shard's time is at least that of its last fact and PostgreSQL's own.
    const rows = await this.sql.query<{ shard: Shard; id: string; now: Date }>(
      `SELECT d.shard, d.id, t.now
         FROM (SELECT shard, greatest($2::timestamptz, last_at, clock_timestamp()) AS now FROM shard_heads WHERE shard = ANY ($1::smallint[])) t
         JOIN disputes d ON d.shard = t.shard AND d.next_ring_at <= t.now
        ORDER BY d.next_ring_at, d.id LIMIT $3`,
      [SHARDS, at, countMax],
    );
    return rows.map(({ shard, id, now }) => ({ id: { shard, uuid: id }, at: now }));
  }

  private async filesOf(disputes: readonly Dispute[]): Promise<DisputeFile[]> {
    if (disputes.length === 0) return [];
    const rows = await this.sql.query<NoticeRow>(
      `SELECT n.dispute, n.event, n.participant_id, e.kind, e.at, e.acked_at
         FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, id)
         JOIN dispute_notices n ON n.shard = i.shard AND n.dispute = i.id
         JOIN events e ON e.shard = n.participant_shard AND e.participant_id = n.participant_id AND e.id = n.event
        ORDER BY n.fact_seq, n.participant_id`,
      [disputes.map(({ subject }) => subject.shard), disputes.map(({ id }) => id)],
    );
    return disputes.map((dispute) => ({ dispute, notices: rows.filter((row) => row.dispute === dispute.id).map(readNotice) }));
  }

  private async select(where: string, params: readonly unknown[]): Promise<Dispute[]> {
    return (await this.sql.query<DisputeRow>(`SELECT ${DISPUTE_COLUMNS} FROM disputes WHERE ${where}`, params)).map(readDispute);
  }

  private async isRegistered(place: readonly unknown[]): Promise<boolean> {
    return (await this.sql.query('SELECT FROM subjects WHERE shard = $1 AND subject = $2', place)).length > 0;
  }
}

function readRecord({ iss, jti, kind, issued_at, accepted_at, fact_seq, ...row }: RecordRow): SubjectRecord {
  return {
    issuer: iss,
    jti,
    kind,
    issuedAt: issued_at,
    receivedAt: accepted_at,
    factSeq: fact_seq,
    state: row.state ?? undefined,
    names: row.names ?? undefined,
    asOf: row.as_of ?? undefined,
    validUntil: row.valid_until ?? undefined,
    dispute: row.dispute ?? undefined,
  };
}

function readNotice({ event, participant_id: participant, kind, at, acked_at: ackedAt }: NoticeRow): DisputeNotice {
  return { event, participant, kind, toldAt: at, heardAt: ackedAt ?? undefined };
}

import { type Shard, type ShardedId, SHARDS } from '#kernel';
import type { SqlRunner } from '#platform';
import type { Dispute } from '#records';
import type { DisputeFile, DisputeNotice, DisputeReader, SubjectRecord } from '../dispute/dispute-store.js';
import { DISPUTE_COLUMNS, type DisputeRow, readDispute } from './dispute-rows.js';

interface NoticeRow {
  readonly dispute: string;
  readonly event: string;
  readonly participant_id: string;
  readonly kind: string;
  readonly at: Date;
  readonly acked_at: Date | null;
}

/** Lists for people and the clock's question. What spans shards reads the small partial indexes of what is unsettled. */
export class PgDisputeReader implements DisputeReader {
  constructor(private readonly sql: SqlRunner) {}

  async ofSubject({ shard, uuid }: ShardedId): Promise<DisputeFile[] | undefined> {
    const disputes = await this.select('shard = $1 AND subject = $2 ORDER BY opened_at DESC, id DESC', [shard, uuid]);
    if (disputes.length === 0 && !(await this.isRegistered([shard, uuid]))) return undefined;
    return await this.filesOf(disputes);
  }

  async recordsOf({ shard, uuid }: ShardedId): Promise<SubjectRecord[] | undefined> {
    const rows = await this.sql.query<{ iss: string; jti: string; kind: string; as_of: Date; valid_until: Date; dispute: string | null }>(
      `SELECT f.iss, f.jti, f.kind, f.as_of, f.valid_until, d.id AS dispute
         FROM records_in_force f
         LEFT JOIN disputes d ON d.shard = f.shard AND d.subject = f.subject AND d.iss = f.iss AND d.root_jti = f.root_jti AND d.state <> 'CLOSED'
        WHERE f.shard = $1 AND f.subject = $2 ORDER BY f.as_of, f.iss, f.jti`,
      [shard, uuid],
    );
    if (rows.length === 0 && !(await this.isRegistered([shard, uuid]))) return undefined;
    return rows.map(({ iss, jti, kind, as_of: asOf, valid_until: validUntil, dispute }) => ({
      ...{ issuer: iss, jti, kind, asOf, validUntil },
      dispute: dispute ?? undefined,
    }));
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

  async ofIssuer(iss: string, countMax: number): Promise<Dispute[]> {
    return await this.select('shard = ANY ($1::smallint[]) AND iss = $2 ORDER BY opened_at DESC, id DESC LIMIT $3', [
      SHARDS,
      iss,
      countMax,
    ]);
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

function readNotice({ event, participant_id: participant, kind, at, acked_at: ackedAt }: NoticeRow): DisputeNotice {
  return { event, participant, kind, toldAt: at, heardAt: ackedAt ?? undefined };
}

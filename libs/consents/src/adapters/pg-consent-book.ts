import type { SubjectKind } from '#contract';
import { type Shard, type ShardedId, shardOf } from '#kernel';
import type { Tx } from '#platform';
import type { Link } from '../link.js';
import type { ConsentBook, SubjectRequest } from '../store.js';
import type { Subject } from '../subject.js';

interface LinkRow {
  ref: string;
  subject: string;
  participant_id: string;
  customer_reference: string | null;
  created_at: Date;
  ended_at: Date | null;
}

/** Owns `subjects`, `subject_requests` and `links`. */
export class PgConsentBook implements ConsentBook {
  constructor(private readonly tx: Tx) {}

  async claimRequest(request: SubjectRequest, at: Date): Promise<SubjectRequest | undefined> {
    const shard = shardOf(`${request.caller} ${request.key}`);
    const [taken] = await this.tx.query(
      `INSERT INTO subject_requests (shard, caller, idempotency_key, kind, subject_shard, subject, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING shard`,
      [shard, request.caller, request.key, request.kind, request.subject.shard, request.subject.uuid, at],
    );
    if (taken) return undefined;
    const [first] = await this.tx.query<{ kind: SubjectKind; subject_shard: Shard; subject: string }>(
      `SELECT kind, subject_shard, subject FROM subject_requests WHERE shard = $1 AND caller = $2 AND idempotency_key = $3`,
      [shard, request.caller, request.key],
    );
    return { ...request, kind: first!.kind, subject: { shard: first!.subject_shard, uuid: first!.subject } };
  }

  async addSubject({ id, kind, createdAt }: Subject): Promise<void> {
    await this.tx.query(`INSERT INTO subjects (shard, subject, kind, created_at) VALUES ($1, $2, $3, $4)`, [
      id.shard,
      id.uuid,
      kind,
      createdAt,
    ]);
  }

  async holdSubject(id: ShardedId): Promise<Subject | undefined> {
    const [row] = await this.tx.query<{ kind: SubjectKind; created_at: Date }>(
      `SELECT kind, created_at FROM subjects WHERE shard = $1 AND subject = $2 FOR NO KEY UPDATE`,
      [id.shard, id.uuid],
    );
    return row && { id, kind: row.kind, createdAt: row.created_at };
  }

  async holdSubjectOf(ref: ShardedId): Promise<Subject | undefined> {
    const [row] = await this.tx.query<{ subject: string; kind: SubjectKind; created_at: Date }>(
      `SELECT subject, kind, created_at FROM subjects
        WHERE shard = $1 AND subject = (SELECT subject FROM links WHERE shard = $1 AND ref = $2) FOR NO KEY UPDATE`,
      [ref.shard, ref.uuid],
    );
    return row && { id: { shard: ref.shard, uuid: row.subject }, kind: row.kind, createdAt: row.created_at };
  }

  async linksOf(subject: ShardedId): Promise<Link[]> {
    const rows = await this.tx.query<LinkRow>(
      `SELECT ref, subject, participant_id, customer_reference, created_at, ended_at
         FROM links WHERE shard = $1 AND subject = $2 ORDER BY created_at, ref`,
      [subject.shard, subject.uuid],
    );
    return rows.map((row) => ({
      ref: { shard: subject.shard, uuid: row.ref },
      subject,
      participant: row.participant_id,
      customerReference: row.customer_reference ?? undefined,
      createdAt: row.created_at,
      endedAt: row.ended_at ?? undefined,
    }));
  }

  async addLink(link: Link): Promise<void> {
    await this.tx.query(
      `INSERT INTO links (shard, ref, subject, participant_id, customer_reference, state, created_at)
       VALUES ($1, $2, $3, $4, $5, 'ACTIVE', $6)`,
      [link.ref.shard, link.ref.uuid, link.subject.uuid, link.participant, link.customerReference ?? null, link.createdAt],
    );
  }

  async saveEnd(link: Link): Promise<void> {
    await this.tx.query(`UPDATE links SET state = 'ENDED', ended_at = $3 WHERE shard = $1 AND ref = $2 AND state = 'ACTIVE'`, [
      link.ref.shard,
      link.ref.uuid,
      link.endedAt,
    ]);
  }
}

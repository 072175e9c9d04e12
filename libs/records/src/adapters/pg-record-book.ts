import { invariant, type Shard, type ShardedId, shardOf } from '#kernel';
import type { SqlRunner } from '#platform';
import type { ForceChange } from '../accept-record.js';
import type { Claim, RecordIdentity } from '../identity.js';
import type { RecordInForce, Statement, StoredRecord } from '../record.js';
import type { RecordBook, WriteReceipt } from '../store.js';
import { PgReceipts } from './pg-receipts.js';

interface IdentityRow {
  subject_shard: Shard;
  ref: string;
  /** Of a sealed line, where its record does not say it itself. */
  batch: string | null;
  line_index: bigint | null;
}

interface StoredRow {
  seq: bigint;
  ref: string;
  subject: string;
  kind: StoredRecord['kind'];
  names: string | null;
  issued_at: Date;
  payload_digest: Buffer;
  jws: Buffer;
  accepted_at: Date;
  fact_seq: bigint;
  receipt: string | null;
  batch: string | null;
  line_index: bigint | null;
}

interface ForceRow {
  iss: string;
  jti: string;
  root_jti: string;
  as_of: Date;
  valid_until: Date;
  body: Statement;
}

/**
 * Owns `record_identities`, `records`, `records_in_force` and `record_equivocations`. `find` and `receiptsOf` may also run outside a transaction.
 * `write`: signs the receipts that were not asked for yet.
 */
export class PgRecordBook implements RecordBook {
  private readonly receipts: PgReceipts;

  constructor(
    private readonly sql: SqlRunner,
    write?: WriteReceipt,
  ) {
    this.receipts = new PgReceipts(sql, write);
  }

  async claim(identity: RecordIdentity): Promise<Claim> {
    const { iss, jti, seq, payloadDigest, ref } = identity;
    const shard = shardOf(iss);
    const [claimed] = await this.sql.query(
      `INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING shard`,
      [shard, iss, jti, seq, Buffer.from(payloadDigest), ref.shard, ref.uuid],
    );
    if (claimed) return { outcome: 'claimed' };
    const [known] = await this.sql.query<{ payload_digest: Buffer }>(
      `SELECT payload_digest FROM record_identities WHERE shard = $1 AND iss = $2 AND jti = $3`,
      [shard, iss, jti],
    );
    return known ? { outcome: 'known', payloadDigest: new Uint8Array(known.payload_digest) } : { outcome: 'seq_used' };
  }

  async find(iss: string, jti: string): Promise<StoredRecord | undefined> {
    const [identity] = await this.sql.query<IdentityRow>(
      `SELECT i.subject_shard, i.ref, s.batch, s.line_index FROM record_identities i LEFT JOIN sealed_records s USING (shard, iss, jti)
        WHERE i.shard = $1 AND i.iss = $2 AND i.jti = $3`,
      [shardOf(iss), iss, jti],
    );
    if (!identity) return undefined;
    const [row] = await this.sql.query<StoredRow>(
      `SELECT seq, ref, subject, kind, names, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt, batch, line_index
         FROM records WHERE shard = $1 AND ref = $2 AND jti = $3 AND iss = $4`,
      [identity.subject_shard, identity.ref, jti, iss],
    );
    if (!row) return undefined;
    const [batch, index] = [row.batch ?? identity.batch, row.line_index ?? identity.line_index];
    const record = stored(iss, jti, identity.subject_shard, row);
    if (batch === null) return record;
    return { ...record, sealed: { batch, index: Number(index) }, manifest: await this.manifestOf(iss, batch) };
  }

  async receiptsOf(iss: string, jtis: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const receipts = await this.receipts.of(jtis.map((jti) => ({ iss, jti })));
    return new Map([...receipts].map(([{ jti }, receipt]) => [jti, receipt]));
  }

  async lastSeq(iss: string): Promise<number | undefined> {
    const [row] = await this.sql.query<{ seq: bigint }>(
      `SELECT seq FROM record_identities WHERE shard = $1 AND iss = $2 ORDER BY seq DESC LIMIT 1`,
      [shardOf(iss), iss],
    );
    return row && Number(row.seq);
  }

  async inForce(subject: ShardedId): Promise<RecordInForce[]> {
    const rows = await this.sql.query<ForceRow>(
      `SELECT iss, jti, root_jti, as_of, valid_until, body FROM records_in_force
        WHERE shard = $1 AND subject = $2 ORDER BY as_of, iss, jti`,
      [subject.shard, subject.uuid],
    );
    return rows.map((row) => ({
      iss: row.iss,
      jti: row.jti,
      rootJti: row.root_jti,
      asOf: row.as_of,
      validUntil: row.valid_until,
      body: row.body,
    }));
  }

  async keep(record: StoredRecord): Promise<void> {
    await this.sql.query(
      `INSERT INTO records (shard, ref, iss, jti, seq, subject, kind, names, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt, salt,
         batch, line_index)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
      [
        record.ref.shard,
        record.ref.uuid,
        record.iss,
        record.jti,
        record.seq,
        record.subject.uuid,
        record.kind,
        record.names ?? null,
        record.issuedAt,
        Buffer.from(record.payloadDigest),
        Buffer.from(record.received),
        record.acceptedAt,
        record.factSeq,
        record.receipt ?? null,
        record.salt ? Buffer.from(record.salt) : null,
        record.sealed?.batch ?? null,
        record.sealed?.index ?? null,
      ],
    );
  }

  async changeForce(subject: ShardedId, { removed, added }: ForceChange): Promise<void> {
    if (removed) {
      await this.sql.query(`DELETE FROM records_in_force WHERE shard = $1 AND subject = $2 AND iss = $3 AND jti = $4`, [
        subject.shard,
        subject.uuid,
        removed.iss,
        removed.jti,
      ]);
    }
    if (!added) return;
    await this.sql.query(
      `INSERT INTO records_in_force (shard, subject, iss, jti, root_jti, kind, as_of, valid_until, body)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        subject.shard,
        subject.uuid,
        added.iss,
        added.jti,
        added.rootJti,
        added.body.kind,
        added.asOf,
        added.validUntil,
        JSON.stringify(added.body),
      ],
    );
  }

  async keepEquivocation(identity: RecordIdentity, received: Uint8Array, at: Date): Promise<boolean> {
    const kept = await this.sql.query(
      `INSERT INTO record_equivocations (shard, iss, jti, payload_digest, jws, received_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING shard`,
      [shardOf(identity.iss), identity.iss, identity.jti, Buffer.from(identity.payloadDigest), Buffer.from(received), at],
    );
    return kept.length > 0;
  }

  private async manifestOf(iss: string, batch: string): Promise<Uint8Array> {
    const [row] = await this.sql.query<{ manifest: Buffer | null }>('SELECT manifest FROM record_batches WHERE shard = $1 AND batch = $2', [
      shardOf(iss),
      batch,
    ]);
    invariant(row?.manifest, 'a sealed line has its manifest');
    return new Uint8Array(row.manifest);
  }
}

/** Notes which line of a sealed batch a record was that is kept by other statements than those here. */
export async function keepSealed(sql: SqlRunner, { iss, jti, sealed }: StoredRecord): Promise<void> {
  if (!sealed) return;
  await sql.query('INSERT INTO sealed_records (shard, iss, jti, batch, line_index) VALUES ($1, $2, $3, $4, $5)', [
    shardOf(iss),
    iss,
    jti,
    sealed.batch,
    sealed.index,
  ]);
}

function stored(iss: string, jti: string, shard: Shard, row: StoredRow): StoredRecord {
  return {
    iss,
    jti,
    seq: Number(row.seq),
    ref: { shard, uuid: row.ref },
    subject: { shard, uuid: row.subject },
    kind: row.kind,
    names: row.names ?? undefined,
    issuedAt: row.issued_at,
    payloadDigest: new Uint8Array(row.payload_digest),
    received: new Uint8Array(row.jws),
    acceptedAt: row.accepted_at,
    factSeq: row.fact_seq,
    receipt: row.receipt ?? undefined,
  };
}

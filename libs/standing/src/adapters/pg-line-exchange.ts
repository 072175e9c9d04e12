import type { Link, Subject } from '#consents';
import { type Shard, type ShardedId, shardOf } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';
import type { BatchProgress, RecordIdentity, RecordInForce, StoredRecord } from '#records';
import { PgBatchProgress } from '#records/adapters/pg-batch-store';
import { keepSealed } from '#records/adapters/pg-record-book';
import { type HeldLink, type LineBooks, type LineExchange, NameTaken, type TakenNames } from '../batch/line-books.js';
import type { Books } from '../store.js';
import { againAfterDeadlock } from './after-deadlock.js';
import { booksOf } from './pg-exchange.js';

/** Many records at a time over one PostgreSQL transaction: arrays in, one statement for each question. */
export class PgLineExchange implements LineExchange {
  constructor(private readonly database: Database) {}

  many<T>(work: (books: LineBooks) => Promise<T>): Promise<T> {
    return againAfterDeadlock(() => this.database.transaction((tx) => work(new PgLineBooks(tx))));
  }

  one<T>(work: (books: Books, progress: BatchProgress) => Promise<T>): Promise<T> {
    return againAfterDeadlock(() => this.database.transaction((tx) => work(booksOf(tx), new PgBatchProgress(tx))));
  }
}

interface HeldRow {
  shard: Shard;
  ref: string;
  subject: string;
  participant_id: string;
  created_at: Date;
  ended_at: Date | null;
  kind: Subject['kind'];
  subject_created_at: Date;
  in_force: bigint;
}

class PgLineBooks implements LineBooks {
  readonly progress: BatchProgress;
  readonly facts: LineBooks['facts'];

  constructor(private readonly tx: Tx) {
    this.progress = new PgBatchProgress(tx);
    this.facts = { append: (facts) => appendFacts(tx, facts) };
  }

  async taken(iss: string, identities: readonly RecordIdentity[]): Promise<TakenNames> {
    const rows = await this.tx.query<{ jti: string; seq: bigint; payload_digest: Buffer }>(
      `SELECT jti, seq, payload_digest FROM record_identities WHERE shard = $1 AND iss = $2 AND jti = ANY ($3::uuid[])
        UNION
       SELECT jti, seq, payload_digest FROM record_identities WHERE shard = $1 AND iss = $2 AND seq = ANY ($4::bigint[])`,
      [shardOf(iss), iss, identities.map(({ jti }) => jti), identities.map(({ seq }) => seq)],
    );
    return {
      digests: new Map(rows.map(({ jti, payload_digest }) => [jti, payload_digest])),
      seqs: new Map(rows.map(({ seq, jti }) => [Number(seq), jti])),
    };
  }

  async holdLinks(refs: readonly ShardedId[]): Promise<ReadonlyMap<string, HeldLink>> {
    const places = [refs.map(({ shard }) => shard), refs.map(({ uuid }) => uuid)];
    await this.tx.query(
      `SELECT FROM subjects s
        WHERE (s.shard, s.subject) IN (SELECT l.shard, l.subject FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, ref)
                                         JOIN links l ON l.shard = i.shard AND l.ref = i.ref)
        ORDER BY s.shard, s.subject FOR NO KEY UPDATE`,
      places,
    );
    const rows = await this.tx.query<HeldRow>(
      `SELECT l.shard, l.ref, l.subject, l.participant_id, l.created_at, l.ended_at, s.kind, s.created_at AS subject_created_at,
              (SELECT count(*) FROM records_in_force f WHERE f.shard = l.shard AND f.subject = l.subject AND f.iss = l.participant_id) AS in_force
         FROM (SELECT DISTINCT shard, ref FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, ref)) i
         JOIN links l ON l.shard = i.shard AND l.ref = i.ref
         JOIN subjects s ON s.shard = l.shard AND s.subject = l.subject`,
      places,
    );
    return new Map(rows.map((row) => [row.ref, readHeld(row)]));
  }

  async claim(identities: readonly RecordIdentity[]): Promise<void> {
    const claimed = await this.tx.query(
      `INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref)
       SELECT $1, $2, i.* FROM unnest($3::uuid[], $4::bigint[], $5::bytea[], $6::smallint[], $7::uuid[]) AS i
       ON CONFLICT DO NOTHING RETURNING shard`,
      [
        shardOf(identities[0]!.iss),
        identities[0]!.iss,
        identities.map(({ jti }) => jti),
        identities.map(({ seq }) => seq),
        identities.map(({ payloadDigest }) => Buffer.from(payloadDigest)),
        identities.map(({ ref }) => ref.shard),
        identities.map(({ ref }) => ref.uuid),
      ],
    );
    if (claimed.length < identities.length) throw new NameTaken();
  }

  async keep(records: readonly StoredRecord[], inForce: readonly RecordInForce[]): Promise<void> {
    const subjects = [records.map(({ subject }) => subject.shard), records.map(({ subject }) => subject.uuid)];
    await this.tx.query(
      `INSERT INTO records (shard, subject, ref, iss, jti, seq, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt)
       SELECT i.* FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::text[], $8::timestamptz[],
                              $9::bytea[], $10::bytea[], $11::timestamptz[], $12::bigint[], $13::text[]) AS i`,
      [
        ...subjects,
        records.map(({ ref }) => ref.uuid),
        records.map(({ iss }) => iss),
        records.map(({ jti }) => jti),
        records.map(({ seq }) => seq),
        records.map(({ kind }) => kind),
        records.map(({ issuedAt }) => issuedAt),
        records.map(({ payloadDigest }) => Buffer.from(payloadDigest)),
        records.map(({ received }) => Buffer.from(received)),
        records.map(({ acceptedAt }) => acceptedAt),
        records.map(({ factSeq }) => factSeq),
        records.map(({ receipt }) => receipt),
      ],
    );
    await keepSealed(this.tx, records);
    await this.tx.query(
      `INSERT INTO records_in_force (shard, subject, iss, jti, root_jti, kind, as_of, valid_until, body)
       SELECT i.* FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::timestamptz[],
                              $9::jsonb[]) AS i`,
      [
        ...subjects,
        inForce.map(({ iss }) => iss),
        inForce.map(({ jti }) => jti),
        inForce.map(({ rootJti }) => rootJti),
        inForce.map(({ body }) => body.kind),
        inForce.map(({ asOf }) => asOf),
        inForce.map(({ validUntil }) => validUntil),
        inForce.map(({ body }) => JSON.stringify(body)),
      ],
    );
  }

  async markDue(subjects: readonly ShardedId[], at: Date): Promise<void> {
    await this.tx.query(
      `UPDATE standings s SET next_change_at = least(s.next_change_at, $3)
         FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, subject)
        WHERE s.shard = i.shard AND s.subject = i.subject`,
      [subjects.map(({ shard }) => shard), subjects.map(({ uuid }) => uuid), at],
    );
  }
}

function readHeld(row: HeldRow): HeldLink {
  const subject = { shard: row.shard, uuid: row.subject };
  const link: Link = {
    ref: { shard: row.shard, uuid: row.ref },
    subject,
    participant: row.participant_id,
    createdAt: row.created_at,
    endedAt: row.ended_at ?? undefined,
  };
  return { link, subject: { id: subject, kind: row.kind, createdAt: row.subject_created_at }, inForceCount: Number(row.in_force) };
}

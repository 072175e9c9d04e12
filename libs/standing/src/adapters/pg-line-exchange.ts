import type { Link, Subject } from '#consents';
import type { Shard, ShardedId } from '#kernel';
import { byteaArray, type Database, int2Array, int8Array, jsonbArray, textArray, timestampArray, type Tx, uuidArray } from '#platform';
import type { BatchProgress, WriteReceipt } from '#records';
import { PgBatchProgress } from '#records/adapters/pg-batch-store';
import type { HeldLink, LineBooks, LineExchange } from '../batch/line-books.js';
import type { Books } from '../store.js';
import type { AddedRecord } from '../together/together-books.js';
import { againAfterDeadlock } from './after-deadlock.js';
import { booksOf } from './pg-exchange.js';
import { PgTogetherBooks } from './pg-together-books.js';

/** Many records at a time over one PostgreSQL transaction: arrays in, one statement for each question. */
export class PgLineExchange implements LineExchange {
  constructor(
    private readonly database: Database,
    private readonly write?: WriteReceipt,
  ) {}

  many<T>(work: (books: LineBooks) => Promise<T>): Promise<T> {
    return againAfterDeadlock(() => this.database.transaction((tx) => work(new PgLineBooks(tx))));
  }

  one<T>(work: (books: Books, progress: BatchProgress) => Promise<T>): Promise<T> {
    return againAfterDeadlock(() => this.database.transaction((tx) => work(booksOf(tx, this.write), new PgBatchProgress(tx))));
  }
}

const KEEP_LINES = `SELECT keep_lines(${Array.from({ length: 19 }, (_, i) => `$${i + 1}`).join(', ')})`;

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

class PgLineBooks extends PgTogetherBooks implements LineBooks {
  readonly progress: BatchProgress;

  constructor(private readonly transaction: Tx) {
    super(transaction);
    this.progress = new PgBatchProgress(transaction);
  }

  async holdLinks(refs: readonly ShardedId[]): Promise<ReadonlyMap<string, HeldLink>> {
    const places = [int2Array(refs.map(({ shard }) => shard)), uuidArray(refs.map(({ uuid }) => uuid))];
    await this.transaction.query(
      `SELECT FROM subjects s
        WHERE (s.shard, s.subject) IN (SELECT l.shard, l.subject FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, ref)
                                         JOIN links l ON l.shard = i.shard AND l.ref = i.ref)
        ORDER BY s.shard, s.subject FOR NO KEY UPDATE`,
      places,
      'hold_links',
    );
    const rows = await this.transaction.query<HeldRow>(
      `SELECT l.shard, l.ref, l.subject, l.participant_id, l.created_at, l.ended_at, s.kind, s.created_at AS subject_created_at,
              (SELECT count(*) FROM records_in_force f WHERE f.shard = l.shard AND f.subject = l.subject AND f.iss = l.participant_id) AS in_force
         FROM (SELECT DISTINCT shard, ref FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, ref)) i
         JOIN links l ON l.shard = i.shard AND l.ref = i.ref
         JOIN subjects s ON s.shard = l.shard AND s.subject = l.subject`,
      places,
      'held_links',
    );
    return new Map(rows.map((row) => [row.ref, readHeld(row)]));
  }

  async keep(added: readonly AddedRecord[], at: Date): Promise<void> {
    await this.transaction.query(KEEP_LINES, [at, ...lineArrays(added)], 'keep_lines');
  }
}

/** As `keep_lines` takes them. */
function lineArrays(added: readonly AddedRecord[]): unknown[] {
  const records = added.map(({ record }) => record);
  const force = added.map(({ inForce }) => inForce);
  return [
    records[0]!.iss,
    records[0]!.sealed?.batch ?? null,
    int2Array(records.map(({ subject }) => subject.shard)),
    uuidArray(records.map(({ subject }) => subject.uuid)),
    uuidArray(records.map(({ ref }) => ref.uuid)),
    uuidArray(records.map(({ jti }) => jti)),
    int8Array(records.map(({ seq }) => BigInt(seq))),
    textArray(records.map(({ kind }) => kind)),
    timestampArray(records.map(({ issuedAt }) => issuedAt)),
    byteaArray(records.map(({ payloadDigest }) => payloadDigest)),
    byteaArray(records.map(({ received }) => received)),
    timestampArray(records.map(({ acceptedAt }) => acceptedAt)),
    int8Array(records.map(({ factSeq }) => factSeq)),
    byteaArray(records.map(({ salt }) => salt)),
    int8Array(records.map(({ sealed }) => sealed && BigInt(sealed.index))),
    timestampArray(force.map(({ asOf }) => asOf)),
    timestampArray(force.map(({ validUntil }) => validUntil)),
    jsonbArray(force.map(({ body }) => JSON.stringify(body))),
  ];
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

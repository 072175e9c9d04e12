import { type Facts, invariant, Refusal, type Shard, type ShardedId, shardOf } from '#kernel';
import { appendFacts, type Database, leaseIsOver, type SqlRunner, type Tx } from '#platform';
import {
  batchesOpenMax,
  type BatchLease,
  BatchLeaseLost,
  type BatchProgress,
  type BatchStep,
  type BatchStore,
  type LineOutcome,
  type NewBatch,
  type RecordBatch,
} from '../batch/batch.js';
import type { LineFaults } from '../batch/line-faults.js';
import { PgLineOutcomes } from './pg-line-outcomes.js';

interface BatchRow {
  shard: Shard;
  batch: string;
  participant: string;
  certificate: string | null;
  manifest: Buffer | null;
  digest: string;
  size_bytes: bigint;
  lines_total: bigint;
  faults: bigint | null;
  faults_told: LineFaults['first'] | null;
  received_at: Date;
  finished_at: Date | null;
  state: RecordBatch['state'];
  next_line: bigint;
  next_byte: bigint;
  accepted: bigint;
  repeated: bigint;
  refused: bigint;
  epoch: number;
  lines_missing_since: Date | null;
}

const COLUMNS = `shard, batch, participant, certificate, manifest, encode(digest, 'hex') AS digest, size_bytes, lines_total, faults, faults_told, received_at, finished_at,
  state,  next_line, next_byte, accepted, repeated, refused, epoch, lines_missing_since`;

/** In these words, so that PostgreSQL sees that the index `record_batches_outstanding` holds them. */
const NOT_ENDED = `state <> 'DONE' AND state <> 'FAILED'`;

/** A step takes far less; a worker that died is waited for no longer than this. */
export const leaseMs = 30_000;

/** Owns `record_batches`; what became of lines is `PgLineOutcomes`'. */
export class PgBatchStore implements BatchStore {
  constructor(private readonly database: Database) {}

  async receive({ id, ...batch }: NewBatch, facts: Facts): ReturnType<BatchStore['receive']> {
    return await this.database.transaction(async (tx) => {
      await refuseTooMany(tx, id.shard, batch.participant);
      const [row] = await tx.query<BatchRow>(
        `INSERT INTO record_batches (shard, batch, participant, digest, size_bytes, lines_total, received_at, manifest, next_line, next_byte,
           certificate, faults, faults_told)
         VALUES ($1, $2, $3, decode($4, 'hex'), $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT ON CONSTRAINT record_batches_once DO NOTHING RETURNING ${COLUMNS}`,
        [
          id.shard,
          id.uuid,
          batch.participant,
          batch.digest,
          batch.sizeBytes,
          batch.linesTotal,
          batch.receivedAt,
          batch.manifest && Buffer.from(batch.manifest),
          batch.nextLine,
          batch.nextByte,
          batch.certificate,
          batch.faults?.count,
          batch.faults && JSON.stringify(batch.faults.first),
        ],
      );
      if (row) {
        await appendFacts(tx, facts);
        return { batch: readBatch(row), repeated: false };
      }
      const first = await findSame(tx, batch.participant, batch.digest);
      invariant(first, 'what conflicts is there');
      return { batch: first, repeated: true };
    });
  }

  async find({ shard, uuid }: ShardedId): Promise<RecordBatch | undefined> {
    const [row] = await this.database.query<BatchRow>(`SELECT ${COLUMNS} FROM record_batches WHERE shard = $1 AND batch = $2`, [
      shard,
      uuid,
    ]);
    return row && readBatch(row);
  }

  async findSame(participant: string, digest: string): Promise<RecordBatch | undefined> {
    return await findSame(this.database, participant, digest);
  }

  async outcomes(id: ShardedId, after: number, countMax: number, refusedOnly: boolean): Promise<LineOutcome[]> {
    return await new PgLineOutcomes(this.database).after(id, after, countMax, refusedOnly);
  }

  async outstanding(countMax: number): Promise<BatchLease[]> {
    const rows = await this.database.query<BatchRow>(
      `SELECT shard, batch, epoch FROM record_batches
        WHERE ${NOT_ENDED} AND ${leaseIsOver('leased_until')} ORDER BY leased_until, batch LIMIT $1`,
      [countMax],
    );
    return rows.map(({ shard, batch, epoch }) => ({ id: { shard, uuid: batch }, epoch }));
  }

  async lease(id: ShardedId): ReturnType<BatchStore['lease']> {
    const [row] = await this.database.query<BatchRow>(
      `UPDATE record_batches SET epoch = epoch + 1, state = 'PROCESSING', leased_until = clock_timestamp() + $3 * interval '1 ms'
        WHERE shard = $1 AND batch = $2 AND ${NOT_ENDED} AND ${leaseIsOver('leased_until')} RETURNING ${COLUMNS}`,
      [id.shard, id.uuid, leaseMs],
    );
    return row && { lease: { id, epoch: row.epoch }, batch: readBatch(row) };
  }

  async finish(lease: BatchLease, at: Date, facts: Facts): Promise<void> {
    await this.database.transaction(async (tx) => {
      await change(tx, lease, `state = 'DONE', finished_at = $4`, at);
      await appendFacts(tx, facts);
    });
  }

  async missLines(lease: BatchLease, at: Date, msMax: number, facts: Facts): Promise<RecordBatch['state']> {
    return await this.database.transaction(async (tx) => {
      const { lines_missing_since: since } = await change(tx, lease, 'lines_missing_since = coalesce(lines_missing_since, $4)', at);
      if (at.getTime() - since!.getTime() < msMax) return 'PROCESSING';
      await change(tx, lease, `state = 'FAILED', finished_at = $4`, at);
      await appendFacts(tx, facts);
      return 'FAILED';
    });
  }

  async findLines(lease: BatchLease): Promise<void> {
    await this.database.transaction((tx) => change(tx, lease, 'lines_missing_since = $4', null));
  }

  async resume({ shard, uuid }: ShardedId, facts: Facts): ReturnType<BatchStore['resume']> {
    return await this.database.transaction(async (tx) => {
      const [missed] = await tx.query<BatchRow>(
        `SELECT ${COLUMNS} FROM record_batches
          WHERE shard = $1 AND batch = $2 AND state <> 'DONE' AND lines_missing_since IS NOT NULL FOR UPDATE`,
        [shard, uuid],
      );
      if (!missed) return undefined;
      if (missed.state === 'FAILED') await refuseTooMany(tx, shard, missed.participant);
      const [row] = await tx.query<BatchRow>(
        `UPDATE record_batches SET state = 'RECEIVED', finished_at = NULL, lines_missing_since = NULL, leased_until = '-infinity'
          WHERE shard = $1 AND batch = $2 RETURNING ${COLUMNS}`,
        [shard, uuid],
      );
      await appendFacts(tx, facts);
      return readBatch(row!);
    });
  }
}

/** In the transaction of its end, or of what keeps it from it. Throws `BatchLeaseLost`. */
async function change(tx: Tx, { id, epoch }: BatchLease, set: string, value: unknown): Promise<BatchRow> {
  const [row] = await tx.query<BatchRow>(
    `UPDATE record_batches SET ${set} WHERE shard = $1 AND batch = $2 AND epoch = $3 AND state = 'PROCESSING' RETURNING ${COLUMNS}`,
    [id.shard, id.uuid, epoch, value],
  );
  if (!row) throw new BatchLeaseLost();
  return row;
}

/** The progress of a batch inside a transaction: its first write there, so that a lost lease is noticed before anything else is done. */
export class PgBatchProgress implements BatchProgress {
  constructor(private readonly tx: Tx) {}

  async advance(step: BatchStep): Promise<void> {
    const { lease, nextLine, nextByte } = step;
    const { id, epoch } = lease;
    const held = await this.tx.query(
      `UPDATE record_batches
          SET next_line = $4, next_byte = $5, accepted = accepted + $6, repeated = repeated + $7, refused = refused + $8,
              leased_until = clock_timestamp() + $9 * interval '1 ms'
        WHERE shard = $1 AND batch = $2 AND epoch = $3 AND state = 'PROCESSING' RETURNING shard`,
      [id.shard, id.uuid, epoch, nextLine, nextByte, ...countsOf(step), leaseMs],
    );
    if (held.length === 0) throw new BatchLeaseLost();
    await this.keepOutcomes(step);
  }

  /** For whoever advanced the batch by a statement of its own. */
  async keepOutcomes({ lease, outcomes }: BatchStep): Promise<void> {
    await new PgLineOutcomes(this.tx).keep(lease.id, outcomes);
  }
}

/** How many lines of a step were accepted, repeated and refused. */
export function countsOf({ outcomes }: BatchStep): [number, number, number] {
  const count = (wanted: LineOutcome['outcome']) => outcomes.filter(({ outcome }) => outcome === wanted).length;
  return [count('ACCEPTED'), count('REPEATED'), count('REFUSED')];
}

/** The count may be passed by as many as arrive in the same moment: it holds off a flood, it is not a promise. */
async function refuseTooMany(tx: Tx, shard: Shard, participant: string): Promise<void> {
  const [row] = await tx.query<{ open: bigint }>(
    `SELECT count(*) AS open FROM record_batches WHERE shard = $1 AND participant = $2 AND ${NOT_ENDED}`,
    [shard, participant],
  );
  if (row!.open < batchesOpenMax) return;
  throw new Refusal('throttled', 'batch.too_many_open', 'wait until some of your batches are done', {
    limit: `batchesOpenMax=${batchesOpenMax}`,
    retryAfterSeconds: 30,
  });
}

async function findSame(sql: SqlRunner, participant: string, digest: string): Promise<RecordBatch | undefined> {
  const [row] = await sql.query<BatchRow>(
    `SELECT ${COLUMNS} FROM record_batches WHERE shard = $1 AND participant = $2 AND digest = decode($3, 'hex')`,
    [shardOf(participant), participant, digest],
  );
  return row && readBatch(row);
}

function readBatch(row: BatchRow): RecordBatch {
  return {
    id: { shard: row.shard, uuid: row.batch },
    participant: row.participant,
    certificate: row.certificate ?? undefined,
    manifest: row.manifest ?? undefined,
    digest: row.digest,
    sizeBytes: Number(row.size_bytes),
    linesTotal: Number(row.lines_total),
    faults: row.faults === null ? undefined : { count: Number(row.faults), first: row.faults_told ?? [] },
    receivedAt: row.received_at,
    finishedAt: row.finished_at ?? undefined,
    state: row.state,
    nextLine: Number(row.next_line),
    nextByte: Number(row.next_byte),
    accepted: Number(row.accepted),
    repeated: Number(row.repeated),
    refused: Number(row.refused),
    linesMissingSince: row.lines_missing_since ?? undefined,
  };
}

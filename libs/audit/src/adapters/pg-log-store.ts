import { hashBytes, type StoredNode } from '#evidence';
import type { Shard } from '#kernel';
import { concatBytes } from '#evidence';
import type { Database, Tx } from '#platform';
import type { Backlog, LogState, LogStore, PublishedCheckpoint, Segment } from '../store.js';

interface SegmentRow {
  readonly first_index: bigint;
  readonly shard: Shard;
  readonly first_seq: bigint;
  readonly count: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly leaf_hashes: Uint8Array;
}

interface StateRow {
  readonly origin: string;
  readonly size: bigint;
  readonly published_size: bigint;
}

const SEGMENT = 'first_index, shard, first_seq, count, first_at, last_at, leaf_hashes';

/** The log's records in PostgreSQL. Batches are set statements: a batch costs the same few round trips whatever its size. */
export class PgLogStore implements LogStore {
  constructor(private readonly database: Database) {}

  async open(origin: string): Promise<LogState> {
    const [known] = await this.database.query<StateRow>('SELECT origin, size, published_size FROM log_state WHERE id = 1');
    if (known) return toState(known);
    await this.database.query('INSERT INTO log_state (id, origin) VALUES (1, $1) ON CONFLICT DO NOTHING', [origin]);
    return this.open(origin);
  }

  async readBacklog(): Promise<Backlog[]> {
    const rows = await this.database.query<{ shard: Shard; sealed_seq: bigint; last_seq: bigint }>(
      `SELECT shard, sealed_seq, last_seq FROM log_cursors JOIN shard_heads USING (shard) WHERE last_seq <> sealed_seq ORDER BY shard`,
    );
    return rows.map((row) => ({ shard: row.shard, sealedSeq: row.sealed_seq, lastSeq: row.last_seq }));
  }

  async stopFacts(): Promise<void> {
    await this.database.query('UPDATE shard_heads SET stopped = last_seq WHERE stopped IS NULL');
  }

  async letFactsGoOn(): Promise<void> {
    await this.database.query('UPDATE shard_heads SET stopped = NULL WHERE stopped IS NOT NULL');
  }

  append(expectedSize: bigint, segments: readonly Segment[], nodes: readonly StoredNode[]): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const state = await lockState(tx);
      if (state.size !== expectedSize) return false;
      await insertSegments(tx, segments);
      await insertNodes(tx, nodes);
      await advanceCursors(tx, segments);
      const count = segments.reduce((sum, segment) => sum + segment.count, 0);
      await tx.query('UPDATE log_state SET size = size + $1 WHERE id = 1', [count]);
      return true;
    });
  }

  publish(work: (state: LogState) => Promise<PublishedCheckpoint | undefined>): Promise<void> {
    return this.database.transaction(async (tx) => {
      const checkpoint = await work(await lockState(tx));
      if (!checkpoint) return;
      await tx.query('INSERT INTO log_checkpoints (size, note) VALUES ($1, $2)', [checkpoint.size, checkpoint.note]);
      await tx.query('UPDATE log_state SET published_size = $1 WHERE id = 1', [checkpoint.size]);
    });
  }

  async lastCheckpoint(): Promise<PublishedCheckpoint | undefined> {
    const [row] = await this.database.query<PublishedCheckpoint>('SELECT size, note FROM log_checkpoints ORDER BY size DESC LIMIT 1');
    return row;
  }

  async readSegments(start: bigint, end: bigint): Promise<Segment[]> {
    if (start >= end) return [];
    const rows = await this.database.query<SegmentRow>(
      `SELECT ${SEGMENT} FROM log_segments
        WHERE first_index >= (SELECT max(first_index) FROM log_segments WHERE first_index <= $1) AND first_index < $2
        ORDER BY first_index`,
      [start, end],
    );
    return rows.map(toSegment);
  }

  async findSegment(shard: Shard, seq: bigint): Promise<Segment | undefined> {
    const [row] = await this.database.query<SegmentRow>(
      `SELECT ${SEGMENT} FROM log_segments WHERE shard = $1 AND first_seq <= $2 ORDER BY first_seq DESC LIMIT 1`,
      [shard, seq],
    );
    return row && seq < row.first_seq + BigInt(row.count) ? toSegment(row) : undefined;
  }

  async readHashes(level: number, first: bigint, count: number): Promise<Uint8Array> {
    if (count === 0) return new Uint8Array();
    if (level === 0) return this.readLeaves(first, count);
    const rows = await this.database.query<{ hash: Uint8Array }>(
      'SELECT hash FROM log_nodes WHERE level = $1 AND index >= $2 AND index < $3 ORDER BY index',
      [level, first, first + BigInt(count)],
    );
    return concatBytes(rows.map(({ hash }) => hash));
  }

  /** Times never run backwards within a shard, so each shard gives its first and its last segment that can matter. */
  async findRange(from: Date | undefined, to: Date | undefined): Promise<{ start: bigint; end: bigint }> {
    const [row] = await this.database.query<{ start: bigint | null; end: bigint | null }>(
      `SELECT min(f.first_index) AS start, max(l.first_index + l.count) AS "end"
         FROM log_cursors c
         LEFT JOIN LATERAL (SELECT first_index FROM log_segments s WHERE s.shard = c.shard AND s.last_at >= $1
                             ORDER BY s.last_at, s.first_index LIMIT 1) f ON true
         LEFT JOIN LATERAL (SELECT first_index, count FROM log_segments s WHERE s.shard = c.shard AND s.first_at < $2
                             ORDER BY s.first_seq DESC LIMIT 1) l ON true`,
      [from ?? '-infinity', to ?? 'infinity'],
    );
    const [start, end] = [row?.start ?? 0n, row?.end ?? 0n];
    return start < end ? { start, end } : { start: 0n, end: 0n };
  }

  private async readLeaves(first: bigint, count: number): Promise<Uint8Array> {
    const segments = await this.readSegments(first, first + BigInt(count));
    const skipped = segments[0] ? Number(first - segments[0].firstIndex) * hashBytes : 0;
    return concatBytes(segments.map(({ leafHashes }) => leafHashes)).subarray(skipped, skipped + count * hashBytes);
  }
}

async function lockState(tx: Tx): Promise<LogState> {
  const [row] = await tx.query<StateRow>('SELECT origin, size, published_size FROM log_state WHERE id = 1 FOR UPDATE');
  return toState(row!);
}

async function insertSegments(tx: Tx, segments: readonly Segment[]): Promise<void> {
  await tx.query(
    `INSERT INTO log_segments (${SEGMENT})
     SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::bytea[])`,
    [
      segments.map((segment) => segment.firstIndex),
      segments.map((segment) => segment.shard),
      segments.map((segment) => segment.firstSeq),
      segments.map((segment) => segment.count),
      segments.map((segment) => segment.firstAt),
      segments.map((segment) => segment.lastAt),
      segments.map((segment) => asBuffer(segment.leafHashes)),
    ],
  );
}

async function insertNodes(tx: Tx, nodes: readonly StoredNode[]): Promise<void> {
  if (nodes.length === 0) return;
  await tx.query('INSERT INTO log_nodes (level, index, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])', [
    nodes.map(({ level }) => level),
    nodes.map(({ index }) => index),
    nodes.map(({ hash }) => asBuffer(hash)),
  ]);
}

/** Each segment must follow its shard's cursor: otherwise nothing is appended. */
async function advanceCursors(tx: Tx, segments: readonly Segment[]): Promise<void> {
  const moved = await tx.query(
    `UPDATE log_cursors c SET sealed_seq = s.first_seq + s.count - 1, sealed_at = s.last_at
       FROM unnest($1::smallint[], $2::bigint[], $3::int[], $4::timestamptz[]) AS s (shard, first_seq, count, last_at)
      WHERE c.shard = s.shard AND c.sealed_seq = s.first_seq - 1
      RETURNING c.shard`,
    [
      segments.map((segment) => segment.shard),
      segments.map((segment) => segment.firstSeq),
      segments.map((segment) => segment.count),
      segments.map((segment) => segment.lastAt),
    ],
  );
  if (moved.length !== segments.length) throw new Error('a segment does not follow the cursor of its shard');
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function toState(row: StateRow): LogState {
  return { origin: row.origin, size: row.size, publishedSize: row.published_size };
}

function toSegment(row: SegmentRow): Segment {
  return {
    firstIndex: row.first_index,
    shard: row.shard,
    firstSeq: row.first_seq,
    count: row.count,
    firstAt: row.first_at,
    lastAt: row.last_at,
    leafHashes: row.leaf_hashes,
  };
}

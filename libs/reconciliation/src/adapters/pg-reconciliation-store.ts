import { invariant, type Facts, type ShardedId } from '#kernel';
import { appendFacts, type Database, leaseIsOver, type SqlRunner, type Tx } from '#platform';
import type { IdentifiedLine } from '../match-lines.js';
import type { Outcome, OutcomeKind } from '../outcome.js';
import type { Reconciliation } from '../reconciliation.js';
import { type Closing, type Lease, LeaseLost, type NewReconciliation, type Outstanding, type ReconciliationStore } from '../store.js';
import { PgReconciliationReader } from './pg-reconciliation-reader.js';
import {
  LINE_COLUMNS,
  lineArrays,
  type LineRow,
  outcomeArrays,
  RECONCILIATION_COLUMNS,
  type ReconciliationRow,
  toIdentifiedLine,
  toReconciliation,
} from './reconciliation-rows.js';
import { encodeStatements } from './statement-json.js';

const outcomesPerInsertMax = 5_000;

const INSERT_LINES = `INSERT INTO statement_lines (shard, reconciliation, ${LINE_COLUMNS})
  SELECT $1, $2, line.*
    FROM unnest($3::int[], $4::text[], $5::text[], $6::int[], $7::int[], $8::bigint[], $9::text[], $10::text[], $11::boolean[], $12::text[],
                $13::timestamptz[], $14::text[]) AS line`;

const INSERT_OUTCOMES = `INSERT INTO reconciliation_outcomes (shard, reconciliation, n, kind, reason, identified_by, line, payment, payment_shard,
         payment_decision, payment_reference, payment_minor, payment_currency, payment_confirmed_at)
  SELECT $1, $2, outcome.*
    FROM unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::int[], $8::uuid[], $9::smallint[], $10::uuid[], $11::text[], $12::bigint[],
                $13::text[], $14::timestamptz[]) AS outcome`;

/** Extends the lease if it is still ours; no row means it is not. Every write starts with it and so holds the row to its commit. */
const HOLD = `UPDATE reconciliations SET leased_until = clock_timestamp() + $4 * interval '1 ms'
  WHERE shard = $1 AND id = $2 AND epoch = $3 AND state IN ('RECEIVED', 'PARSED', 'MATCHING')`;

export class PgReconciliationStore extends PgReconciliationReader implements ReconciliationStore {
  constructor(private readonly database: Database) {
    super(database);
  }

  async receive(incoming: NewReconciliation, bytes: AsyncIterable<Uint8Array>, facts: Facts): ReturnType<ReconciliationStore['receive']> {
    return await this.database.transaction(async (tx) => {
      const { id, participant, digest, sizeBytes, receivedAt, statements, entries, linesTotal } = incoming;
      // A concurrent copy waits here for the first to commit, and then sees it.
      const [row] = await tx.query<ReconciliationRow>(
        `INSERT INTO reconciliations (shard, id, participant, digest, size_bytes, received_at, statements, entries, lines_total)
         VALUES ($1, $2, $3, decode($4, 'hex'), $5, $6, $7, $8, $9)
         ON CONFLICT ON CONSTRAINT reconciliations_once DO NOTHING
         RETURNING ${RECONCILIATION_COLUMNS}`,
        [id.shard, id.uuid, participant, digest, sizeBytes, receivedAt, encodeStatements(statements), entries, linesTotal],
      );
      if (!row) return { reconciliation: await findFirst(tx, incoming), repeated: true };
      await keepBytes(tx, id, bytes);
      await appendFacts(tx, facts);
      return { reconciliation: toReconciliation(row), repeated: false };
    });
  }

  async *readBytes({ shard, uuid }: ShardedId): AsyncGenerator<Uint8Array> {
    for (let n = 0; ; n++) {
      const [row] = await this.database.query<{ bytes: Buffer }>(
        'SELECT bytes FROM statement_bytes WHERE shard = $1 AND reconciliation = $2 AND n = $3',
        [shard, uuid, n],
      );
      if (!row) return;
      yield row.bytes;
    }
  }

  async outstanding(countMax: number): Promise<Outstanding[]> {
    const rows = await this.database.query<ReconciliationRow>(
      `SELECT shard, id, epoch FROM reconciliations
        WHERE state IN ('RECEIVED', 'PARSED', 'MATCHING') AND ${leaseIsOver('leased_until')}
        ORDER BY leased_until, id LIMIT $1`,
      [countMax],
    );
    return rows.map(({ shard, id, epoch }) => ({ id: { shard, uuid: id }, epoch }));
  }

  async lease(id: ShardedId, leaseMs: number): Promise<{ lease: Lease; reconciliation: Reconciliation } | undefined> {
    const [row] = await this.database.query<ReconciliationRow>(
      `UPDATE reconciliations SET epoch = epoch + 1, leased_until = clock_timestamp() + $3 * interval '1 ms'
        WHERE shard = $1 AND id = $2 AND state IN ('RECEIVED', 'PARSED', 'MATCHING') AND ${leaseIsOver('leased_until')}
        RETURNING ${RECONCILIATION_COLUMNS}`,
      [id.shard, id.uuid, leaseMs],
    );
    return row && { lease: { id, epoch: row.epoch }, reconciliation: toReconciliation(row) };
  }

  async release({ id, epoch }: Lease, retryAfterMs: number): Promise<void> {
    await this.database.query(HOLD, [id.shard, id.uuid, epoch, retryAfterMs]);
  }

  async saveLines(lease: Lease, lines: readonly IdentifiedLine[], last: boolean, leaseMs: number): Promise<void> {
    const { shard, uuid } = lease.id;
    await this.holding(lease, leaseMs, async (tx) => {
      if (lines.length > 0) await tx.query(INSERT_LINES, [shard, uuid, ...lineArrays(lines)]);
      await tx.query(
        `UPDATE reconciliations SET lines_read = lines_read + $3, state = CASE WHEN $4 THEN 'PARSED' ELSE state END WHERE shard = $1 AND id = $2`,
        [shard, uuid, lines.length, last],
      );
    });
  }

  async nextLines({ id: { shard, uuid } }: Lease, linesMax: number): Promise<IdentifiedLine[]> {
    const rows = await this.database.query<LineRow>(
      `SELECT ${LINE_COLUMNS} FROM statement_lines
        WHERE shard = $1 AND reconciliation = $2
          AND match_key > (SELECT matched_to FROM reconciliations WHERE shard = $1 AND id = $2)
        ORDER BY match_key, n LIMIT $3`,
      [shard, uuid, linesMax],
    );
    const last = rows.at(-1);
    if (!last || rows.length < linesMax) return rows.map(toIdentifiedLine);
    // The last reference may go on beyond the page: leave it to the next one, or, where it is alone, read all of it.
    const whole = rows.filter(({ match_key }) => match_key !== last.match_key);
    if (whole.length > 0) return whole.map(toIdentifiedLine);
    const group = await this.database.query<LineRow>(
      `SELECT ${LINE_COLUMNS} FROM statement_lines WHERE shard = $1 AND reconciliation = $2 AND match_key = $3 ORDER BY n`,
      [shard, uuid, last.match_key],
    );
    return group.map(toIdentifiedLine);
  }

  async saveOutcomes(lease: Lease, outcomes: readonly Outcome[], leaseMs: number): Promise<void> {
    const { shard, uuid } = lease.id;
    await this.holding(lease, leaseMs, async (tx) => {
      await insertOutcomes(tx, lease.id, outcomes);
      await tx.query(
        `UPDATE reconciliations
            SET state = 'MATCHING', lines_matched = lines_matched + $3,
                matched_to = (SELECT max(match_key) FROM statement_lines WHERE shard = $1 AND reconciliation = $2 AND n = ANY ($4::int[]))
          WHERE shard = $1 AND id = $2`,
        [shard, uuid, outcomes.length, outcomes.flatMap(({ line }) => line ?? [])],
      );
    });
  }

  async countOutcomes({ shard, uuid }: ShardedId): Promise<Partial<Record<OutcomeKind, number>>> {
    const rows = await this.database.query<{ kind: OutcomeKind; count: number }>(
      'SELECT kind, count(*)::int AS count FROM reconciliation_outcomes WHERE shard = $1 AND reconciliation = $2 GROUP BY kind ORDER BY kind',
      [shard, uuid],
    );
    return Object.fromEntries(rows.map(({ kind, count }) => [kind, count]));
  }

  async close(lease: Lease, { state, missing, counts, closedAt }: Closing, facts: Facts): Promise<void> {
    const { shard, uuid } = lease.id;
    await this.holding(lease, 0, async (tx) => {
      await insertOutcomes(tx, lease.id, missing);
      await tx.query('UPDATE reconciliations SET state = $3, counts = $4, closed_at = $5 WHERE shard = $1 AND id = $2', [
        shard,
        uuid,
        state,
        JSON.stringify(counts),
        closedAt,
      ]);
      await appendFacts(tx, facts);
    });
  }

  private async holding(lease: Lease, leaseMs: number, work: (tx: Tx) => Promise<void>): Promise<void> {
    await this.database.transaction(async (tx) => {
      const held = await tx.query(`${HOLD} RETURNING id`, [lease.id.shard, lease.id.uuid, lease.epoch, leaseMs]);
      if (held.length === 0) throw new LeaseLost();
      await work(tx);
    });
  }
}

async function findFirst(sql: SqlRunner, { id, participant, digest }: NewReconciliation): Promise<Reconciliation> {
  const [row] = await sql.query<ReconciliationRow>(
    `SELECT ${RECONCILIATION_COLUMNS} FROM reconciliations WHERE shard = $1 AND participant = $2 AND digest = decode($3, 'hex')`,
    [id.shard, participant, digest],
  );
  invariant(row, 'a conflicting reconciliation is there');
  return toReconciliation(row);
}

async function keepBytes(tx: Tx, { shard, uuid }: ShardedId, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let n = 0;
  for await (const chunk of bytes) {
    await tx.query('INSERT INTO statement_bytes (shard, reconciliation, n, bytes) VALUES ($1, $2, $3, $4)', [shard, uuid, n++, chunk]);
  }
}

async function insertOutcomes(tx: Tx, { shard, uuid }: ShardedId, outcomes: readonly Outcome[]): Promise<void> {
  for (let i = 0; i < outcomes.length; i += outcomesPerInsertMax) {
    await tx.query(INSERT_OUTCOMES, [shard, uuid, ...outcomeArrays(outcomes.slice(i, i + outcomesPerInsertMax))]);
  }
}

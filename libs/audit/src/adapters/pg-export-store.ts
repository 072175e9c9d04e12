import type { ExportFilter } from '#evidence';
import { canonicalize } from '#evidence';
import { type Shard, shardOf } from '#kernel';
import { appendFacts, type Database } from '#platform';
import type { Export, ExportPlan, ExportProgress, ExportState, ExportStore, NewExport } from '../exports.js';

interface ExportRow {
  readonly id: string;
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly filter: string;
  readonly state: ExportState;
  readonly range_start: bigint | null;
  readonly range_end: bigint | null;
  readonly checkpoint: string | null;
  readonly next_index: bigint | null;
  readonly entries_bytes: bigint;
  readonly included: bigint;
  readonly file: string | null;
  readonly problem: string | null;
}

const COLUMNS =
  'id, requested_by, requested_at, filter, state, range_start, range_end, checkpoint, next_index, entries_bytes, included, file, problem';

/** Exports in PostgreSQL. */
export class PgExportStore implements ExportStore {
  constructor(private readonly database: Database) {}

  add(request: NewExport): Promise<void> {
    const shard = shardOf(request.id);
    const filter = canonicalize(request.filter);
    return this.database.transaction(async (tx) => {
      const body = { export: request.id, requestedBy: request.requestedBy, filter };
      await appendFacts(tx, [{ shard, kind: 'export.requested', ...aboutOf(request.filter), body }]);
      const heads = await tx.query<{ shard: Shard; last_seq: bigint }>('SELECT shard, last_seq FROM shard_heads WHERE last_seq > 0');
      const required = canonicalize(Object.fromEntries(heads.map((head) => [head.shard, `${head.last_seq}`])));
      await tx.query('INSERT INTO exports (id, shard, requested_by, requested_at, filter, required) VALUES ($1, $2, $3, $4, $5, $6)', [
        request.id,
        shard,
        request.requestedBy,
        request.requestedAt,
        filter,
        required,
      ]);
    });
  }

  async find(id: string): Promise<Export | undefined> {
    const [row] = await this.database.query<ExportRow>(`SELECT ${COLUMNS} FROM exports WHERE id = $1`, [id]);
    return row && toExport(row);
  }

  async list(countMax: number): Promise<Export[]> {
    const rows = await this.database.query<ExportRow>(`SELECT ${COLUMNS} FROM exports ORDER BY requested_at DESC, id DESC LIMIT $1`, [
      countMax,
    ]);
    return rows.map(toExport);
  }

  async outstanding(): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM exports WHERE state IN ('REQUESTED', 'RUNNING') ORDER BY requested_at, id`,
    );
    return rows.map(({ id }) => id);
  }

  /** A shard's time never runs backwards: once something at or after `to` is sealed, all before it is. */
  async isCovered(id: string): Promise<boolean> {
    const [row] = await this.database.query<{ waiting: bigint }>(
      `SELECT count(*) AS waiting
         FROM exports e CROSS JOIN LATERAL json_each_text(e.required::json) r JOIN log_cursors c ON c.shard = r.key::smallint
        WHERE e.id = $1 AND NOT coalesce(c.sealed_at >= (e.filter::json ->> 'to')::timestamptz, false)
          AND (c.sealed_seq < r.value::bigint OR EXISTS (
            SELECT FROM log_segments s, log_state l
             WHERE s.shard = c.shard AND s.first_seq <= r.value::bigint AND r.value::bigint < s.first_seq + s.count
               AND s.first_index + (r.value::bigint - s.first_seq) >= l.published_size))`,
      [id],
    );
    return row?.waiting === 0n;
  }

  async begin(id: string, plan: ExportPlan): Promise<Export> {
    await this.database.query(
      `UPDATE exports SET state = 'RUNNING', range_start = $2, range_end = $3, checkpoint = $4, next_index = $2
        WHERE id = $1 AND range_start IS NULL`,
      [id, plan.start, plan.end, plan.checkpoint],
    );
    return (await this.find(id))!;
  }

  /** Another run of the same export may be further: progress never goes back. */
  async saveProgress(id: string, progress: ExportProgress): Promise<void> {
    await this.database.query('UPDATE exports SET next_index = $2, entries_bytes = $3, included = $4 WHERE id = $1 AND next_index < $2', [
      id,
      progress.nextIndex,
      progress.entriesBytes,
      progress.included,
    ]);
  }

  async restart(id: string): Promise<Export> {
    await this.database.query('UPDATE exports SET next_index = range_start, entries_bytes = 0, included = 0 WHERE id = $1', [id]);
    return (await this.find(id))!;
  }

  async finish(id: string, file: string): Promise<void> {
    await this.database.query(
      `UPDATE exports SET state = 'DONE', file = $2, problem = NULL, finished_at = clock_timestamp() WHERE id = $1`,
      [id, file],
    );
  }

  async fail(id: string, problem: string): Promise<void> {
    await this.database.query(
      `UPDATE exports SET state = 'FAILED', problem = $2, finished_at = clock_timestamp() WHERE id = $1 AND state <> 'DONE'`,
      [id, problem],
    );
  }
}

/** The request is also a use of the data of the one it asks about. */
function aboutOf(filter: ExportFilter): { subject?: string; participant?: string } {
  return {
    ...(filter.subject === undefined ? {} : { subject: filter.subject }),
    ...(filter.participant === undefined ? {} : { participant: filter.participant }),
  };
}

function toExport(row: ExportRow): Export {
  const isPlanned = row.range_start !== null && row.range_end !== null && row.checkpoint !== null;
  return {
    id: row.id,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    filter: JSON.parse(row.filter) as ExportFilter,
    state: row.state,
    plan: isPlanned ? { start: row.range_start, end: row.range_end, checkpoint: row.checkpoint } : undefined,
    nextIndex: row.next_index ?? 0n,
    entriesBytes: row.entries_bytes,
    included: row.included,
    file: row.file ?? undefined,
    problem: row.problem ?? undefined,
  };
}

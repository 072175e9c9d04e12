import type { Database, Tx } from '#platform';
import type { ShadowChange, ShadowCursor, ShadowShelf, ShadowState, ShadowStore, ShadowTask } from '../history/shadow.js';
import { FOREVER_MS, liveUntilOf, type Place, type SimulatedHold, type SimulatedUsage } from '../history/simulated-counters.js';
import type { TallyJson } from '../history/tally.js';

interface CursorRow {
  readonly seq: bigint;
  readonly endedAfter: bigint | null;
  readonly tally: string | null;
}

interface UsageRow {
  readonly subject: string;
  readonly counter: string;
  readonly start: Date;
  readonly liveUntil: Date;
  readonly usedMinor: bigint;
  readonly reservedMinor: bigint;
  readonly usedCount: bigint;
  readonly reservedCount: bigint;
}

interface HoldRow {
  readonly subject: string;
  readonly decision: string;
  readonly state: SimulatedHold['state'];
  readonly minor: bigint;
  readonly leftMinor: bigint;
  readonly spentMinor: bigint;
  readonly transactions: number;
  readonly isSplit: boolean;
  readonly expiresAt: Date;
  readonly places: string;
}

const CURSOR = 'seq, ended_after AS "endedAfter", tally';
const HOLDS = `SELECT subject, decision, state, minor, left_minor AS "leftMinor", spent_minor AS "spentMinor", transactions,
  is_split AS "isSplit", expires_at AS "expiresAt", places FROM shadow_holds WHERE shard = $1 AND version = $2`;
const GOAL = 'least(h.last_seq, c.ended_after)';

/** Shadows in PostgreSQL. Rows of one (shard, version) change only under its cursor's row. */
export class PgShadows implements ShadowStore {
  constructor(private readonly database: Database) {}

  async behind(): Promise<ShadowTask[]> {
    return await this.database.query<ShadowTask>(
      `SELECT c.shard, c.version FROM shadow_cursors c JOIN shard_heads h ON h.shard = c.shard
        WHERE c.seq < ${GOAL}
           OR c.seq = c.ended_after AND EXISTS (SELECT FROM shadow_subjects s WHERE s.shard = c.shard AND s.version = c.version)
        ORDER BY c.version, c.shard`,
    );
  }

  async transaction<T>(task: ShadowTask, work: (shelf: ShadowShelf) => Promise<T>): Promise<T | undefined> {
    return await this.database.transaction(async (tx) => {
      const [row] = await tx.query<CursorRow>(
        `SELECT ${CURSOR} FROM shadow_cursors WHERE shard = $1 AND version = $2 FOR UPDATE SKIP LOCKED`,
        [task.shard, task.version],
      );
      return row && (await work(new PgShadowShelf(tx, task, readCursor(row))));
    });
  }

  async cursors(version: bigint): Promise<readonly ShadowCursor[]> {
    const rows = await this.database.query<CursorRow>(`SELECT ${CURSOR} FROM shadow_cursors WHERE version = $1 ORDER BY shard`, [version]);
    return rows.map(readCursor);
  }

  async countBehind(version: bigint): Promise<bigint> {
    const [row] = await this.database.query<{ behind: bigint | null }>(
      `SELECT sum(greatest(${GOAL} - c.seq, 0))::bigint AS behind FROM shadow_cursors c JOIN shard_heads h ON h.shard = c.shard WHERE c.version = $1`,
      [version],
    );
    return row?.behind ?? 0n;
  }
}

class PgShadowShelf implements ShadowShelf {
  private readonly key: readonly [number, bigint];

  constructor(
    private readonly tx: Tx,
    { shard, version }: ShadowTask,
    readonly cursor: ShadowCursor,
  ) {
    this.key = [shard, version];
  }

  async known(subjects: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.tx.query<{ subject: string }>(
      'SELECT subject FROM shadow_subjects WHERE shard = $1 AND version = $2 AND subject = ANY ($3::uuid[])',
      [...this.key, subjects],
    );
    return new Set(rows.map(({ subject }) => subject));
  }

  async load(subjects: readonly string[], decisions: readonly string[], at: Date): Promise<ShadowState> {
    const usage = await this.tx.query<UsageRow>(
      `SELECT subject, counter, window_start AS start, live_until AS "liveUntil", used_minor AS "usedMinor", reserved_minor AS "reservedMinor",
              used_count AS "usedCount", reserved_count AS "reservedCount"
         FROM shadow_usage WHERE shard = $1 AND version = $2 AND subject = ANY ($3::uuid[]) AND live_until > $4`,
      [...this.key, subjects, at],
    );
    const holds = await this.tx.query<HoldRow>(
      `${HOLDS} AND subject = ANY ($3::uuid[]) AND state = 'RESERVED' UNION ${HOLDS} AND decision = ANY ($4::uuid[])`,
      [...this.key, subjects, decisions],
    );
    return { usage: bySubject(usage, readUsage), holds: bySubject(holds, readHold) };
  }

  async save(change: ShadowChange): Promise<void> {
    const { newSubjects, endedHolds } = change;
    if (newSubjects.length > 0)
      await this.tx.query('INSERT INTO shadow_subjects (shard, version, subject) SELECT $1, $2, unnest($3::uuid[])', [
        ...this.key,
        newSubjects,
      ]);
    await this.saveUsage(change);
    await this.saveHolds(change);
    if (endedHolds.length > 0)
      await this.tx.query('DELETE FROM shadow_holds WHERE shard = $1 AND version = $2 AND decision = ANY ($3::uuid[])', [
        ...this.key,
        endedHolds,
      ]);
    await this.forget(change);
  }

  async moveTo(seq: bigint, tally: TallyJson | undefined): Promise<void> {
    await this.tx.query('UPDATE shadow_cursors SET seq = $3, tally = $4 WHERE shard = $1 AND version = $2', [
      ...this.key,
      seq,
      tally === undefined ? null : JSON.stringify(tally),
    ]);
  }

  async clear(subjectsMax: number): Promise<boolean> {
    const rows = await this.tx.query<{ subject: string }>(
      'SELECT subject FROM shadow_subjects WHERE shard = $1 AND version = $2 ORDER BY subject LIMIT $3',
      [...this.key, subjectsMax],
    );
    for (const table of ['shadow_usage', 'shadow_holds', 'shadow_subjects']) {
      const sql = `DELETE FROM ${table} WHERE shard = $1 AND version = $2 AND subject = ANY ($3::uuid[])`;
      await this.tx.query(sql, [...this.key, rows.map(({ subject }) => subject)]);
    }
    return rows.length === subjectsMax;
  }

  private async saveUsage({ usage }: ShadowChange): Promise<void> {
    if (usage.length === 0) return;
    await this.tx.query(
      `INSERT INTO shadow_usage (shard, version, subject, counter, window_start, live_until, used_minor, reserved_minor, used_count, reserved_count)
       SELECT $1, $2, u.*
         FROM unnest($3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[]) AS u
       ON CONFLICT ON CONSTRAINT shadow_usage_pkey DO UPDATE SET used_minor = excluded.used_minor, reserved_minor = excluded.reserved_minor,
         used_count = excluded.used_count, reserved_count = excluded.reserved_count`,
      [
        ...this.key,
        usage.map(({ subject }) => subject),
        usage.map(({ counter }) => counter),
        usage.map(({ startMs }) => new Date(startMs)),
        usage.map(({ liveUntilMs }) => new Date(liveUntilMs)),
        usage.map(({ usedMinor }) => usedMinor),
        usage.map(({ reservedMinor }) => reservedMinor),
        usage.map(({ usedCount }) => usedCount),
        usage.map(({ reservedCount }) => reservedCount),
      ],
    );
  }

  private async saveHolds({ holds }: ShadowChange): Promise<void> {
    if (holds.length === 0) return;
    await this.tx.query(
      `INSERT INTO shadow_holds (shard, version, subject, decision, state, minor, left_minor, spent_minor, transactions, is_split, expires_at,
                                 live_until, places)
       SELECT $1, $2, h.*
         FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::integer[], $10::boolean[],
                     $11::timestamptz[], $12::timestamptz[], $13::text[]) AS h
       ON CONFLICT ON CONSTRAINT shadow_holds_pkey DO UPDATE SET state = excluded.state, left_minor = excluded.left_minor,
         spent_minor = excluded.spent_minor, transactions = excluded.transactions, is_split = excluded.is_split`,
      [
        ...this.key,
        holds.map(({ subject }) => subject),
        holds.map(({ decision }) => decision),
        holds.map(({ state }) => state),
        holds.map(({ minor }) => minor),
        holds.map(({ leftMinor }) => leftMinor),
        holds.map(({ spentMinor }) => spentMinor),
        holds.map(({ transactions }) => transactions),
        holds.map(({ isSplit }) => isSplit),
        holds.map(({ expiresAtMs }) => new Date(expiresAtMs)),
        holds.map((hold) => new Date(Math.min(liveUntilOf(hold), FOREVER_MS))),
        holds.map(({ places }) => JSON.stringify(places)),
      ],
    );
  }

  /** Windows that have ended are asked for no more; so are holds that took from them only. */
  private async forget({ usage, at }: ShadowChange): Promise<void> {
    const subjects = [...new Set(usage.map(({ subject }) => subject))];
    if (at === undefined || subjects.length === 0) return;
    for (const table of ['shadow_usage', 'shadow_holds']) {
      const sql = `DELETE FROM ${table} WHERE shard = $1 AND version = $2 AND subject = ANY ($3::uuid[]) AND live_until <= $4`;
      await this.tx.query(sql, [...this.key, subjects, at]);
    }
  }
}

function readCursor({ seq, endedAfter, tally }: CursorRow): ShadowCursor {
  return { seq, endedAfter: endedAfter ?? undefined, tally: tally === null ? undefined : (JSON.parse(tally) as TallyJson) };
}

function readUsage({ counter, start, liveUntil, usedMinor, reservedMinor, usedCount, reservedCount }: UsageRow): SimulatedUsage {
  const place = { counter, startMs: start.getTime(), liveUntilMs: liveUntil.getTime() };
  return { ...place, usedMinor, reservedMinor, usedCount: Number(usedCount), reservedCount: Number(reservedCount) };
}

function readHold({ subject: _, expiresAt, places, ...hold }: HoldRow): SimulatedHold {
  return { ...hold, expiresAtMs: expiresAt.getTime(), places: JSON.parse(places) as Place[] };
}

function bySubject<Row extends { readonly subject: string }, Value>(rows: readonly Row[], read: (row: Row) => Value): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const row of rows) {
    const group = groups.get(row.subject);
    if (group) group.push(read(row));
    else groups.set(row.subject, [read(row)]);
  }
  return groups;
}

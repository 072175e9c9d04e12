import { decisionFact, type DecisionRow } from '#decisions';
import { DECISION_COLUMNS, readDecision, type StoredDecision } from '#decisions/adapters/pg-decision-ledger';
import { formatFactId, formatId, type Shard, SHARDS } from '#kernel';
import type { SqlRunner } from '#platform';
import type { FactView, Page } from '../api.js';
import { mergePage, parseCursor } from '../audit/page-cursor.js';
import { continueAt, cursorOf, findShardBounds, type ShardBounds, type TimeSpan } from './pg-shard-bounds.js';

export const pageRows = 50;

/** Decisions are facts in a table of their own (`decisionFact`). */
const DECISION_KIND = 'decision.made';

export interface FactFilter extends TimeSpan {
  readonly kind?: string | undefined;
  readonly participant?: string | undefined;
  readonly subject?: { readonly shard: Shard; readonly uuid: string } | undefined;
  /** Only these shards; all by default. */
  readonly shards?: readonly Shard[] | undefined;
}

export interface FactRow {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: Date;
  readonly kind: string;
  readonly subject: string | null;
  readonly participant: string | null;
  readonly body: string;
}

const FACT_COLUMNS = 't.shard, t.seq, t.at, t.kind, t.subject, t.participant, t.body';

/** Facts of both tables, newest first, each with its place in the sealed log. */
export class PgFactLog {
  constructor(private readonly sql: SqlRunner) {}

  /** A page. Refuses `cursor.malformed`, `search.too_wide`. */
  async search(filter: FactFilter, before: string | undefined): Promise<Page<FactView>> {
    const bounds = await findShardBounds(this.sql, filter, shardsOf(filter));
    const cursor = before === undefined ? cursorOf(bounds) : parseCursor(before);
    const offered = await this.offer(filter, continueAt(bounds, cursor));
    const { rows, next } = mergePage(offered, cursor, pageRows);
    return { rows: await this.present(rows), next };
  }

  /** The newest facts that fit, at most a page. */
  async read(filter: FactFilter): Promise<FactRow[]> {
    return this.readFacts(filter, await findShardBounds(this.sql, filter, shardsOf(filter)), pageRows);
  }

  async find(shard: Shard, seq: bigint): Promise<FactRow | undefined> {
    const one = { shards: [shard], above: [seq - 1n], below: [seq + 1n] };
    const [row] = [...(await this.readFacts({}, one, 1)), ...(await this.readDecisions({}, one, 1))];
    return row;
  }

  /** The latest facts about a subject that were not made by looking at it. That a record was accepted is found by the record. */
  async ofSubject(subject: { readonly shard: Shard; readonly uuid: string }, rowsMax: number): Promise<FactRow[]> {
    return this.sql.query<FactRow>(
      `(SELECT ${FACT_COLUMNS} FROM facts t
         WHERE shard = $1 AND subject = $2 AND kind <> 'record.accepted' AND kind <> 'staff.viewed' ORDER BY seq DESC LIMIT $3)
        UNION ALL
       (SELECT ${FACT_COLUMNS} FROM facts t
         WHERE shard = $1 AND seq IN (SELECT fact_seq FROM records WHERE shard = $1 AND subject = $2 ORDER BY fact_seq DESC LIMIT $3))
        ORDER BY seq DESC LIMIT $3`,
      [subject.shard, subject.uuid, rowsMax],
    );
  }

  /** As the pages show them, with log indexes. */
  async present(rows: readonly FactRow[]): Promise<FactView[]> {
    const indexes = await this.findLogIndexes(rows);
    return rows.map((row, i) => presentFact(row, indexes[i] ?? null));
  }

  private async offer(filter: FactFilter, bounds: ShardBounds): Promise<FactRow[]> {
    const facts = filter.kind === DECISION_KIND ? [] : await this.readFacts(filter, bounds, pageRows + 1);
    const decisions = takesDecisions(filter) ? await this.readDecisions(filter, bounds, pageRows + 1) : [];
    return [...facts, ...decisions];
  }

  private readFacts({ subject, from, to, kind, participant }: FactFilter, bounds: ShardBounds, rowsMax: number): Promise<FactRow[]> {
    return this.readNewest<FactRow>('facts', FACT_COLUMNS, bounds, rowsMax, [
      ['subject =', subject?.uuid],
      ['at >=', from],
      ['at <', to],
      ['kind =', kind],
      ['participant =', participant],
    ]);
  }

  private async readDecisions({ subject, from, to }: FactFilter, bounds: ShardBounds, rowsMax: number): Promise<FactRow[]> {
    const rows = await this.readNewest<StoredDecision>('decisions', DECISION_COLUMNS, bounds, rowsMax, [
      ['subject =', subject?.uuid],
      ['at >=', from],
      ['at <', to],
    ]);
    return rows.map((row) => factOfDecision(readDecision(row)));
  }

  private readNewest<Row extends object>(
    table: 'facts' | 'decisions',
    columns: string,
    bounds: ShardBounds,
    rowsMax: number,
    conditions: readonly (readonly [sql: string, value: unknown])[],
  ): Promise<Row[]> {
    const given = conditions.filter(([, value]) => value !== undefined);
    const where = given.map(([sql], i) => ` AND t.${sql} $${i + 5}`).join('');
    return this.sql.query<Row>(
      `SELECT f.* FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS p (shard, above, below)
        CROSS JOIN LATERAL (
          SELECT ${columns} FROM ${table} t WHERE t.shard = p.shard AND t.seq > p.above AND t.seq < p.below${where}
           ORDER BY t.seq DESC LIMIT $4) f`,
      [bounds.shards, bounds.above, bounds.below, rowsMax, ...given.map(([, value]) => value)],
    );
  }

  private async findLogIndexes(rows: readonly FactRow[]): Promise<(bigint | null)[]> {
    if (rows.length === 0) return [];
    const found = await this.sql.query<{ index: bigint | null }>(
      `SELECT CASE WHEN g.index < s.published_size THEN g.index END AS index
         FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS f (shard, seq, n)
         LEFT JOIN log_state s ON s.id = 1
         LEFT JOIN LATERAL (
           SELECT first_index + (f.seq - first_seq) AS index, first_seq + count AS end_seq FROM log_segments
            WHERE shard = f.shard AND first_seq <= f.seq ORDER BY first_seq DESC LIMIT 1) g ON f.seq < g.end_seq
        ORDER BY f.n`,
      [rows.map(({ shard }) => shard), rows.map(({ seq }) => seq)],
    );
    return found.map(({ index }) => index);
  }
}

const shardsOf = ({ subject, shards }: FactFilter): readonly Shard[] => (subject ? [subject.shard] : (shards ?? SHARDS));

/** Decisions name no participant, so a search by one leaves them out. */
const takesDecisions = ({ kind, participant }: FactFilter): boolean =>
  participant === undefined && (kind === undefined || kind === DECISION_KIND);

export function factOfDecision(row: DecisionRow): FactRow {
  const { shard, seq, at, kind, subject, body } = decisionFact(row);
  return { shard, seq, at, kind, subject, participant: null, body: JSON.stringify(body) };
}

function presentFact(row: FactRow, logIndex: bigint | null): FactView {
  return {
    id: formatFactId(row.shard, row.seq),
    at: row.at.toISOString(),
    kind: row.kind,
    subject: row.subject === null ? null : formatId('sub', { shard: row.shard, uuid: row.subject }),
    participant: row.participant,
    body: JSON.parse(row.body),
    logIndex: logIndex?.toString() ?? null,
  };
}

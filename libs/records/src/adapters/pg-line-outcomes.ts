import type { ShardedId } from '#kernel';
import { int8Array, type SqlRunner, textArray, uuidArray } from '#platform';
import type { LineOutcome } from '../batch/batch.js';

interface LineRow {
  line: bigint;
  outcome: LineOutcome['outcome'];
  jti: string | null;
  code: string | null;
  detail: string | null;
  field: string | null;
}

interface PageRow {
  first_line: bigint;
  last_line: bigint;
  outcomes: string;
  jtis: string[];
}

/** As `record_batch_pages` says them, a character a line; whatever else stands there is not in the page. */
const LETTERS = { ACCEPTED: 'A', REPEATED: 'R' } as const;
const OUTCOMES: Readonly<Record<string, LineOutcome['outcome']>> = { A: 'ACCEPTED', R: 'REPEATED' };
const ELSEWHERE = '.';
const pagesAtOnce = 8;

/** What became of lines: a row for a page of them (`record_batch_pages`), and one for each that says more (`record_batch_lines`). Owns both. */
export class PgLineOutcomes {
  constructor(private readonly sql: SqlRunner) {}

  async keep(batch: ShardedId, outcomes: readonly LineOutcome[]): Promise<void> {
    const paged = outcomes.length > 1 ? outcomes.filter(({ outcome }) => outcome !== 'REFUSED') : [];
    const alone = outcomes.length > 1 ? outcomes.filter(({ outcome }) => outcome === 'REFUSED') : outcomes;
    if (paged.length > 0) await this.keepPage(batch, paged);
    if (alone.length > 0) await this.keepLines(batch, alone);
  }

  /** Those after line `after`, in order. */
  async after(batch: ShardedId, after: number, countMax: number, refusedOnly: boolean): Promise<LineOutcome[]> {
    const lines = await this.linesAfter(batch, after, countMax, refusedOnly);
    if (refusedOnly) return lines;
    const paged = await this.pagedAfter(batch, after, countMax);
    return [...lines, ...paged].sort((a, b) => a.line - b.line).slice(0, countMax);
  }

  private async keepPage({ shard, uuid }: ShardedId, outcomes: readonly LineOutcome[]): Promise<void> {
    const [first, last] = [outcomes[0]!.line, outcomes.at(-1)!.line];
    const letters = new Array<string>(last - first + 1).fill(ELSEWHERE);
    for (const { line, outcome } of outcomes) letters[line - first] = LETTERS[outcome as keyof typeof LETTERS];
    await this.sql.query(
      'INSERT INTO record_batch_pages (shard, batch, first_line, last_line, outcomes, jtis) VALUES ($1, $2, $3, $4, $5, $6)',
      [shard, uuid, first, last, letters.join(''), uuidArray(outcomes.map(({ jti }) => jti))],
      'keep_outcome_page',
    );
  }

  private async keepLines({ shard, uuid }: ShardedId, outcomes: readonly LineOutcome[]): Promise<void> {
    await this.sql.query(
      `INSERT INTO record_batch_lines (shard, batch, line, outcome, jti, code, detail, field)
       SELECT $1, $2, line.* FROM unnest($3::bigint[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[]) AS line`,
      [
        ...[shard, uuid, int8Array(outcomes.map(({ line }) => BigInt(line)))],
        ...[textArray(outcomes.map(({ outcome }) => outcome)), uuidArray(outcomes.map(({ jti }) => jti))],
        ...[outcomes.map(({ code }) => code), outcomes.map(({ detail }) => detail), outcomes.map(({ field }) => field)].map(textArray),
      ],
      'keep_outcome_lines',
    );
  }

  private async linesAfter({ shard, uuid }: ShardedId, after: number, countMax: number, refusedOnly: boolean): Promise<LineOutcome[]> {
    const rows = await this.sql.query<LineRow>(
      `SELECT line, outcome, jti, code, detail, field FROM record_batch_lines
        WHERE shard = $1 AND batch = $2 AND line > $3 ${refusedOnly ? "AND outcome = 'REFUSED'" : ''} ORDER BY line LIMIT $4`,
      [shard, uuid, after, countMax],
    );
    return rows.map(({ line, outcome, jti, code, detail, field }) => ({
      ...{ line: Number(line), outcome, jti: jti ?? undefined },
      ...{ code: code ?? undefined, detail: detail ?? undefined, field: field ?? undefined },
    }));
  }

  private async pagedAfter({ shard, uuid }: ShardedId, after: number, countMax: number): Promise<LineOutcome[]> {
    const found: LineOutcome[] = [];
    for (let from = after; found.length < countMax;) {
      const pages = await this.sql.query<PageRow>(
        `SELECT first_line, last_line, outcomes, jtis FROM record_batch_pages
          WHERE shard = $1 AND batch = $2 AND last_line > $3 ORDER BY last_line LIMIT $4`,
        [shard, uuid, from, pagesAtOnce],
      );
      for (const page of pages) found.push(...outcomesIn(page).filter(({ line }) => line > after));
      if (pages.length < pagesAtOnce) break;
      from = Number(pages.at(-1)!.last_line);
    }
    return found.slice(0, countMax);
  }
}

function outcomesIn({ first_line, outcomes, jtis }: PageRow): LineOutcome[] {
  let nth = 0;
  return [...outcomes].flatMap((letter, i) => {
    const outcome = OUTCOMES[letter];
    return outcome ? { line: Number(first_line) + i, outcome, jti: jtis[nth++] } : [];
  });
}

import { RunningTotals } from './control-totals.js';
import type { CheckedStatement } from './reconciliation.js';
import type { StatementPart } from './statement.js';
import { linesOf, type StatementLine } from './statement-line.js';

/** What the first reading of a file tells: it can be read to its end, how much there is, and whether its statements tie. */
export interface Survey {
  readonly statements: readonly CheckedStatement[];
  readonly entries: number;
  readonly lines: number;
}

/** Reads a file once and keeps nothing but the heads. Raises what the reader raises. */
export async function surveyStatement(parts: AsyncIterable<StatementPart>): Promise<Survey> {
  const statements: CheckedStatement[] = [];
  let totals = new RunningTotals();
  let entries = 0;
  let lines = 0;
  for await (const part of parts) {
    if (part.kind === 'entry') {
      entries++;
      lines += linesOf(part.entry, 1).length;
      totals.add(part.entry);
    } else {
      statements.push({ head: part.head, totals: totals.check(part.head) });
      totals = new RunningTotals();
    }
  }
  return { statements, entries, lines };
}

/** The lines of a file in pages of at most `linesMax`, without the first `skip` of them. */
export async function* pagesOfLines(parts: AsyncIterable<StatementPart>, skip: number, linesMax: number): AsyncGenerator<StatementLine[]> {
  let page: StatementLine[] = [];
  let n = 1;
  for await (const part of parts) {
    if (part.kind !== 'entry') continue;
    const lines = linesOf(part.entry, n);
    n += lines.length;
    for (const line of lines) if (line.n > skip) page.push(line);
    while (page.length >= linesMax) {
      yield page.slice(0, linesMax);
      page = page.slice(linesMax);
    }
  }
  if (page.length > 0) yield page;
}

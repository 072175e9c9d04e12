import type { StoredFact } from '#evidence';
import type { FactSpan } from '#kernel';
import { type Database, readFactSpans } from '#platform';
import { decisionFact } from '../decision-row.js';
import { DECISION_COLUMNS, readDecision, type StoredDecision } from './pg-decision-ledger.js';

const DECISIONS = { name: 'decisions', columns: DECISION_COLUMNS } as const;

/** Decisions as facts, in the order of their numbers: a source for the log beside the table of facts. */
export class PgDecisionFacts {
  constructor(private readonly database: Database) {}

  /** The decisions of each span, in any order. */
  async read(spans: readonly FactSpan[]): Promise<StoredFact[][]> {
    const found = await readFactSpans<StoredDecision>(this.database, DECISIONS, spans);
    return found.map((rows) => rows.map((row) => decisionFact(readDecision(row))));
  }
}

import type { StoredFact } from '#evidence';
import type { Shard } from '#kernel';
import type { Database } from '#platform';
import { decisionFact } from '../decision-row.js';
import { DECISION_COLUMNS, readDecision, type StoredDecision } from './pg-decision-ledger.js';

/** Decisions as facts, in the order of their numbers: a source for the log beside the table of facts. */
export class PgDecisionFacts {
  constructor(private readonly database: Database) {}

  /** The next facts of this shard above `seq`, at most `countMax`. */
  async readAfter(shard: Shard, seq: bigint, countMax: number): Promise<StoredFact[]> {
    const rows = await this.database.query<StoredDecision>(
      `SELECT ${DECISION_COLUMNS} FROM decisions WHERE shard = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      [shard, seq, countMax],
    );
    return rows.map((row) => decisionFact(readDecision(row)));
  }
}

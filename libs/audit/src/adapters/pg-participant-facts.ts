import { type FactValue, type Shard, shardOf } from '#kernel';
import type { StoredFact } from '#evidence';
import type { SqlRunner } from '#platform';
import type { ParticipantFacts } from '../gather-evidence.js';

interface Row {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: Date;
  readonly kind: string;
  readonly participant: string;
  readonly body: string;
}

/** Facts about participants, found by the index `facts_by_participant`, which holds nothing else. */
export class PgParticipantFacts implements ParticipantFacts {
  constructor(private readonly sql: SqlRunner) {}

  async of(participant: string): Promise<StoredFact[]> {
    const rows = await this.sql.query<Row>(
      `SELECT shard, seq, at, kind, participant, body FROM facts
        WHERE shard = $1 AND participant = $2 AND kind LIKE 'participant.%' ORDER BY seq`,
      [shardOf(participant), participant],
    );
    return rows.map((row) => ({ ...row, body: JSON.parse(row.body) as Record<string, FactValue> }));
  }
}

import type { FactValue, Shard } from '#kernel';
import type { StoredFact } from '#evidence';
import type { SqlRunner } from '#platform';
import type { FactSource } from '../store.js';

interface FactRow {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: Date;
  readonly kind: string;
  readonly subject: string | null;
  readonly participant: string | null;
  readonly body: string;
}

/** The facts table. */
export class PgFactSource implements FactSource {
  constructor(private readonly database: SqlRunner) {}

  async readAfter(shard: Shard, seq: bigint, countMax: number): Promise<StoredFact[]> {
    const rows = await this.database.query<FactRow>(
      `SELECT shard, seq, at, kind, subject, participant, body FROM facts WHERE shard = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      [shard, seq, countMax],
    );
    return rows.map((row) => ({
      ...row,
      subject: row.subject ?? undefined,
      participant: row.participant ?? undefined,
      body: JSON.parse(row.body) as Record<string, FactValue>,
    }));
  }
}

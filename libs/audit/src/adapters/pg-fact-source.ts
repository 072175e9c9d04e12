import type { FactSpan, FactValue, Shard } from '#kernel';
import type { StoredFact } from '#evidence';
import { readFactSpans, type SqlRunner } from '#platform';
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

const FACTS = { name: 'facts', columns: 'shard, seq, at, kind, subject, participant, body' } as const;

/** The facts table. */
export class PgFactSource implements FactSource {
  constructor(private readonly database: SqlRunner) {}

  async read(spans: readonly FactSpan[]): Promise<StoredFact[][]> {
    const found = await readFactSpans<FactRow>(this.database, FACTS, spans);
    return found.map((rows) => rows.map(factOf));
  }
}

function factOf({ shard, seq, at, kind, subject, participant, body }: FactRow): StoredFact {
  return {
    shard,
    seq,
    at,
    kind,
    subject: subject ?? undefined,
    participant: participant ?? undefined,
    body: JSON.parse(body) as Record<string, FactValue>,
  };
}

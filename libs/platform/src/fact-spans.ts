import type { FactSpan } from '#kernel';
import { int2Array, int8Array } from './binary-arrays.js';
import type { SqlRunner } from './database.js';

/** A table whose rows have the numbers of facts, and what to select of it, `shard` and `seq` not needed among it. */
export interface FactTable {
  readonly name: 'facts' | 'decisions';
  readonly columns: string;
}

/**
 * The rows of each span, in any order: one question for all of them (the sealer asks for 32 shards every second). The limit cuts nothing: it
 * makes PostgreSQL go through the primary key span by span, whatever its statistics say.
 */
export async function readFactSpans<Row extends object>(runner: SqlRunner, table: FactTable, spans: readonly FactSpan[]): Promise<Row[][]> {
  const found: Row[][] = spans.map(() => []);
  if (spans.length === 0) return found;
  const rows = await runner.query<Row & { span: number }>(
    `SELECT p.n::int AS span, f.* FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS p (in_shard, after, up_to, n)
      CROSS JOIN LATERAL (SELECT ${table.columns} FROM ${table.name}
                           WHERE shard = p.in_shard AND seq > p.after AND seq <= p.up_to ORDER BY seq LIMIT $4) f`,
    [
      int2Array(spans.map(({ shard }) => shard)),
      int8Array(spans.map(({ afterSeq }) => afterSeq)),
      int8Array(spans.map(({ upToSeq }) => upToSeq)),
      spans.reduce((most, { afterSeq, upToSeq }) => (upToSeq - afterSeq > most ? upToSeq - afterSeq : most), 0n),
    ],
    `read_spans_${table.name}`,
  );
  for (const row of rows) found[row.span - 1]!.push(row);
  return found;
}

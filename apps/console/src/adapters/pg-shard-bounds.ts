import { SHARDS, type Shard } from '#kernel';
import type { SqlRunner } from '#platform';
import type { PageCursor } from '../audit/page-cursor.js';

/** Numbers of each shard to look at: `above < seq < below`. */
export interface ShardBounds {
  readonly shards: readonly Shard[];
  readonly above: readonly bigint[];
  readonly below: readonly bigint[];
}

export interface TimeSpan {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/**
 * Turns a span of time into numbers with the help of the sealed log's segments, so that no table needs an index by time. The bounds
 * are outer ones (a segment is not cut): the caller's query still compares `at`.
 */
export async function findShardBounds(sql: SqlRunner, { from, to }: TimeSpan, shards: readonly Shard[] = SHARDS): Promise<ShardBounds> {
  const rows = await sql.query<{ above: bigint; below: bigint }>(
    `SELECT CASE WHEN $2::timestamptz IS NULL THEN 0 ELSE coalesce((
              SELECT first_seq + count - 1 FROM log_segments g WHERE g.shard = h.shard AND last_at < $2 ORDER BY last_at DESC LIMIT 1), 0) END AS above,
            least(h.last_seq + 1, CASE WHEN $3::timestamptz IS NULL THEN h.last_seq + 1 ELSE coalesce((
              SELECT first_seq + count FROM log_segments g WHERE g.shard = h.shard AND last_at >= $3 ORDER BY last_at LIMIT 1), h.last_seq + 1) END) AS below
       FROM unnest($1::smallint[]) WITH ORDINALITY AS s (shard, n) JOIN shard_heads h ON h.shard = s.shard
      ORDER BY s.n`,
    [shards, from ?? null, to ?? null],
  );
  return { shards, above: rows.map(({ above }) => above), below: rows.map(({ below }) => below) };
}

/** Where a list starts when it has no cursor yet. */
export function cursorOf({ shards, below }: ShardBounds): PageCursor {
  return new Map(shards.map((shard, i) => [shard, below[i]!]));
}

/** The bounds of the page after `cursor`. */
export function continueAt(bounds: ShardBounds, cursor: PageCursor): ShardBounds {
  const below = bounds.shards.map((shard, i) => {
    const place = cursor.get(shard) ?? 0n;
    return place < bounds.below[i]! ? place : bounds.below[i]!;
  });
  return { ...bounds, below };
}

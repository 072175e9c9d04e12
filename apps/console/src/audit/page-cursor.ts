import { Refusal, SHARDS, type Shard } from '#kernel';

/**
 * Where a list that is merged from all shards stands: below which number each shard goes on. Numbers are in commit order and time
 * never runs backwards within a shard, so the merge needs no index but the primary key and no row is shown twice or missed.
 */
export type PageCursor = ReadonlyMap<Shard, bigint>;

const RADIX = 36;
const FORM = /^[0-9a-z]{1,13}(\.[0-9a-z]{1,13}){31}$/;

export function formatCursor(cursor: PageCursor): string {
  return SHARDS.map((shard) => (cursor.get(shard) ?? 0n).toString(RADIX)).join('.');
}

/** Refuses `cursor.malformed` (400). */
export function parseCursor(text: string): PageCursor {
  if (!FORM.test(text))
    throw new Refusal('malformed', 'cursor.malformed', 'open the list again: this place in it is not readable', { field: 'before' });
  const numbers = text.split('.').map((digits) => [...digits].reduce((sum, digit) => sum * 36n + BigInt(parseInt(digit, RADIX)), 0n));
  return new Map(SHARDS.map((shard, i) => [shard, numbers[i]!]));
}

interface Placed {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: Date;
}

/** The newest `rowsMax` of what each shard offered (newest first each), and where the next page goes on, if there is one. */
export function mergePage<Row extends Placed>(
  offered: readonly Row[],
  from: PageCursor,
  rowsMax: number,
): { rows: Row[]; next: string | null } {
  const sorted = [...offered].sort((a, b) => b.at.getTime() - a.at.getTime() || a.shard - b.shard || (a.seq < b.seq ? 1 : -1));
  const rows = sorted.slice(0, rowsMax);
  const next = new Map(from);
  for (const { shard, seq } of rows) next.set(shard, seq);
  return { rows, next: sorted.length > rowsMax ? formatCursor(next) : null };
}

import { type Shard, SHARDS, shardOf } from '#kernel';
import type { Database } from '#platform';
import { type HeldRecord, type ItemPage, pageItemsMax, type RecordSetSource } from '../record-set/store.js';

/** A place in a set is where its record stands: the shard, and the number of its fact in the 44 bits below. */
const SEQ_BITS = 44;
const SEQS = 2 ** SEQ_BITS;

const keptPagesPerQuery = 8;
const NIL = '00000000-0000-0000-0000-000000000000';

/** The facts of a shard below a log index end before `seq`; the last of them lies between these times. */
interface Cut {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly first_at: Date;
  readonly last_at: Date;
}

interface Position {
  readonly at: Date | string;
  readonly jti: string;
}

/** Reads sets out of `records`, in the order of `log_segments`; owns `record_set_pages`. The items are packed by PostgreSQL: a page is one value. */
export class PgRecordSetSource implements RecordSetSource {
  constructor(private readonly database: Database) {}

  async publishedSize(): Promise<bigint> {
    const [state] = await this.database.query<{ published_size: bigint }>('SELECT published_size FROM log_state WHERE id = 1');
    return state?.published_size ?? 0n;
  }

  async *collect(participant: string, from: bigint, to: bigint): AsyncGenerator<ItemPage> {
    if (from >= to) return;
    const [lows, highs] = [await this.cuts(from), await this.cuts(to)];
    for (const shard of SHARDS) {
      const [low, high] = [lows.get(shard), highs.get(shard)];
      if (high && high.seq > (low?.seq ?? 0n)) yield* this.collectOn(participant, low, high);
    }
  }

  async *kept(participant: string, upTo: bigint): AsyncGenerator<{ endIndex: bigint; page: ItemPage }> {
    for (let [first, page] = [-1n, 0]; ;) {
      const rows = await this.database.query<{ first_index: bigint; page: number; end_index: bigint; items: Buffer }>(
        `SELECT first_index, page, end_index, items FROM record_set_pages
          WHERE shard = $1 AND participant = $2 AND (first_index, page) > ($3, $4) AND end_index <= $5 ORDER BY first_index, page LIMIT $6`,
        [shardOf(participant), participant, first, page, upTo, keptPagesPerQuery],
      );
      for (const { end_index, items } of rows) yield { endIndex: end_index, page: items };
      if (rows.length < keptPagesPerQuery) return;
      ({ first_index: first, page } = rows.at(-1)!);
    }
  }

  /** The first page decides between two that keep at once: whoever comes second waits for it, and then keeps nothing. */
  async keep(participant: string, from: bigint, to: bigint, pages: readonly ItemPage[]): Promise<bigint> {
    const shard = shardOf(participant);
    return await this.database.transaction(async (tx) => {
      for (const [page, items] of pages.entries()) {
        const [kept] = await tx.query(
          `INSERT INTO record_set_pages (shard, participant, first_index, page, end_index, items)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING page`,
          [shard, participant, from, page, to, Buffer.from(items)],
        );
        if (!kept) break;
      }
      const [end] = await tx.query<{ end_index: bigint }>(
        `SELECT end_index FROM record_set_pages WHERE shard = $1 AND participant = $2 ORDER BY first_index DESC LIMIT 1`,
        [shard, participant],
      );
      return end!.end_index;
    });
  }

  async recordsAt(participant: string, places: readonly number[]): Promise<HeldRecord[]> {
    const records: HeldRecord[] = [];
    for (const shard of SHARDS) {
      const seqs = places.filter((place) => Math.floor(place / SEQS) === shard).map((place) => place % SEQS);
      if (seqs.length === 0) continue;
      const rows = await this.database.query<{ jti: string; payload_digest: Buffer; jws: Buffer }>(
        `SELECT jti, payload_digest, jws FROM records WHERE shard = $1 AND fact_seq = ANY ($2::bigint[]) AND iss = $3`,
        [shard, seqs, participant],
      );
      records.push(
        ...rows.map(({ jti, payload_digest, jws }) => ({ jti, id: new Uint8Array(payload_digest), received: new Uint8Array(jws) })),
      );
    }
    return records;
  }

  /** By shard, the last segment that begins below the log index; it may reach beyond it. */
  private async cuts(logIndex: bigint): Promise<ReadonlyMap<Shard, Cut>> {
    const rows = await this.database.query<Cut>(
      `SELECT c.shard, s.first_seq + least(s.count, $1 - s.first_index) AS seq, s.first_at, s.last_at
         FROM log_cursors c
        CROSS JOIN LATERAL (SELECT first_index, first_seq, count, first_at, last_at FROM log_segments l
                             WHERE l.shard = c.shard AND l.first_index < $1 ORDER BY l.first_seq DESC LIMIT 1) s`,
      [logIndex],
    );
    return new Map(rows.map((cut) => [cut.shard, cut]));
  }

  /** Along the index by issuer and time: a shard's time never runs backwards, so times narrow it down and numbers decide. */
  private async *collectOn(participant: string, low: Cut | undefined, high: Cut): AsyncGenerator<ItemPage> {
    let after: Position = { at: low?.first_at ?? '-infinity', jti: NIL };
    for (;;) {
      const [page] = await this.database.query<{ count: bigint; items: Buffer | null; at: Date; jti: string }>(COLLECT, [
        ...[high.shard, participant, after.at, after.jti, high.last_at],
        ...[low?.seq ?? 0n, high.seq, pageItemsMax],
      ]);
      if (page?.items) yield page.items;
      if (Number(page?.count ?? 0n) < pageItemsMax) return;
      after = page!;
    }
  }
}

const COLLECT = `
  WITH page AS MATERIALIZED (
    SELECT accepted_at, jti,
           int8send(extract(epoch FROM issued_at)::bigint) || payload_digest || int8send((shard::bigint << ${SEQ_BITS}) | fact_seq) AS item
      FROM records
     WHERE shard = $1 AND iss = $2 AND (accepted_at, jti) > ($3, $4::uuid) AND accepted_at <= $5 AND fact_seq >= $6 AND fact_seq < $7
     ORDER BY accepted_at, jti LIMIT $8
  ), packed AS (
    SELECT count(*) AS count, string_agg(item, ''::bytea) AS items FROM page
  )
  SELECT packed.count, packed.items, last.accepted_at AS at, last.jti
    FROM packed LEFT JOIN LATERAL (SELECT accepted_at, jti FROM page ORDER BY accepted_at DESC, jti DESC LIMIT 1) last ON true`;

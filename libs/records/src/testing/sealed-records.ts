import { createHash } from 'node:crypto';
import type { SqlRunner } from '#platform';
import { type Shard, SHARDS } from '#kernel';

/** A record as the oracle knows it. */
interface Written {
  readonly iss: string;
  readonly id: string;
  readonly iat: number;
  readonly shard: Shard;
  readonly seq: number;
  readonly at: Date;
}

/** Writes records and seals them as the exchange and the sealer would, and remembers which record stands at which index of the log. */
export class SealedRecords {
  /** By log index; undefined where the fact is of something else. */
  readonly log: (Written | undefined)[] = [];
  private waiting: Written[] = [];
  private readonly seqs = new Map<Shard, number>();
  private n = 0;

  constructor(
    private readonly sql: SqlRunner,
    private readonly dice: (sides: number) => number,
  ) {}

  /** Many records share a moment: a batch is accepted at one. */
  async accept(issuers: readonly string[], count: number): Promise<void> {
    const written = Array.from({ length: count }, () => this.write(issuers[this.dice(issuers.length)]!));
    this.waiting.push(...written);
    await this.sql.query(
      `INSERT INTO records (shard, ref, iss, jti, seq, subject, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt)
       SELECT r.shard, gen_random_uuid(), r.iss, gen_random_uuid(), r.n, gen_random_uuid(), 'rating', to_timestamp(r.iat), r.digest, r.digest, r.at, r.seq, ''
         FROM unnest($1::smallint[], $2::text[], $3::bigint[], $4::bytea[], $5::timestamptz[], $6::bigint[]) WITH ORDINALITY
              AS r (shard, iss, iat, digest, at, seq, n)`,
      [
        ...[written.map(({ shard }) => shard), written.map(({ iss }) => iss), written.map(({ iat }) => iat)],
        ...[written.map(({ id }) => Buffer.from(id, 'hex')), written.map(({ at }) => at), written.map(({ seq }) => seq)],
      ],
    );
  }

  /** Seals what waits, shard by shard, and publishes it. */
  async seal(): Promise<number> {
    for (const shard of SHARDS) {
      const run = this.waiting.filter((record) => record.shard === shard);
      if (run.length === 0) continue;
      await this.sql.query(
        `INSERT INTO log_segments (first_index, shard, first_seq, count, first_at, last_at, leaf_hashes) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [this.log.length, shard, run[0]!.seq, run.length, run[0]!.at, run.at(-1)!.at, Buffer.alloc(32 * run.length)],
      );
      this.log.push(...run);
    }
    this.waiting = [];
    await this.sql.query(
      `INSERT INTO log_state (id, origin, size, published_size) VALUES (1, 'test', $1, $1)
       ON CONFLICT (id) DO UPDATE SET size = $1, published_size = $1`,
      [this.log.length],
    );
    return this.log.length;
  }

  /** The set at a log index: `iat id`, in the order of the protocol. */
  set(iss: string, logIndex: number): string[] {
    const items = this.log.slice(0, logIndex).filter((record) => record?.iss === iss);
    return items.map((record) => `${record!.iat} ${record!.id}`).sort();
  }

  private write(iss: string): Written {
    const shard = SHARDS[this.dice(SHARDS.length)]!;
    const seq = (this.seqs.get(shard) ?? 0) + 1;
    this.seqs.set(shard, seq);
    const id = createHash('sha256').update(String(++this.n)).digest('hex');
    const at = new Date(1_700_000_000_000 + Math.floor(this.n / 40));
    return { iss, id, iat: 1_700_000_000 + this.dice(1_000), shard, seq, at };
  }
}

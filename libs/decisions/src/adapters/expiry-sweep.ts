import { type Shard, SHARDS } from '#kernel';
import { type Database, int2Array, uuidArray } from '#platform';

/** In one transaction, which holds the shard's head row; and so many of these for a shard in its turn. */
const subjectsAtOnceMax = 500;
const roundsMax = 8;
/** Looking for what ran out goes through all open holds of a shard: a few shards at a time, in turn. */
const shardsAtOnce = 4;

/** Tidies up holds that ran out and whose subjects did not come back. Nothing depends on it: expiry is a comparison. */
export class ExpirySweep {
  private next = 0;

  constructor(
    private readonly database: Database,
    private readonly subjectsMax = subjectsAtOnceMax,
  ) {}

  /** The next few shards: all have had their turn after eight calls. @returns how many holds were freed */
  async runNext(): Promise<number> {
    const first = this.next;
    this.next = (first + shardsAtOnce) % SHARDS.length;
    return await this.run(SHARDS.slice(first, first + shardsAtOnce));
  }

  /** One pass over these shards, short transactions for each that has such. @returns how many holds were freed */
  async run(shards: readonly Shard[] = SHARDS): Promise<number> {
    const due = await this.database.query<{ shard: Shard }>(
      `SELECT p.shard FROM unnest($1::smallint[]) AS p (shard)
        CROSS JOIN LATERAL (SELECT FROM reservations r
                             WHERE r.shard = p.shard AND r.state = 'RESERVED' AND r.expires_at <= date_trunc('milliseconds', clock_timestamp())
                             LIMIT 1) AS one`,
      [shards],
      'shards_with_expired',
    );
    let freed = 0;
    for (const { shard } of due) freed += await this.sweep(shard);
    return freed;
  }

  private async sweep(shard: Shard): Promise<number> {
    let freed = 0;
    for (let round = 0; round < roundsMax; round++) {
      const [subjects, holds] = await this.sweepSome(shard);
      freed += holds;
      if (subjects < this.subjectsMax) break;
    }
    return freed;
  }

  /** @returns how many subjects, and how many holds of theirs */
  private async sweepSome(shard: Shard): Promise<[number, number]> {
    const due = await this.database.query<{ subject: string }>(
      `SELECT DISTINCT subject FROM reservations
        WHERE shard = $1 AND state = 'RESERVED' AND expires_at <= date_trunc('milliseconds', clock_timestamp()) LIMIT $2`,
      [shard, this.subjectsMax],
    );
    if (due.length === 0) return [0, 0];
    return await this.database.transaction(async (tx) => {
      const [head] = await tx.query<{ at: Date }>(
        `SELECT greatest(date_trunc('milliseconds', clock_timestamp()), last_at) AS at FROM shard_heads WHERE shard = $1 FOR NO KEY UPDATE`,
        [shard],
      );
      const subjects = due.map(({ subject }) => subject);
      const [row] = await tx.query<{ freed: bigint }>('SELECT free_expired($1, $2, $3) AS freed', [
        int2Array(subjects.map(() => shard)),
        uuidArray(subjects),
        head!.at,
      ]);
      return [due.length, Number(row!.freed)];
    });
  }
}

import { SHARDS } from '#kernel';
import { type Database, int2Array, uuidArray } from '#platform';

const sweepSubjectsMax = 500;

/** Tidies up holds that ran out and whose subjects did not come back. Nothing depends on it: expiry is a comparison. */
export class ExpirySweep {
  constructor(private readonly database: Database) {}

  /** One pass over all shards, one short transaction each. @returns how many holds were freed */
  async run(): Promise<number> {
    let freed = 0;
    for (const shard of SHARDS) freed += await this.sweep(shard);
    return freed;
  }

  private async sweep(shard: number): Promise<number> {
    const due = await this.database.query<{ subject: string }>(
      `SELECT DISTINCT subject FROM reservations
        WHERE shard = $1 AND state = 'RESERVED' AND expires_at <= date_trunc('milliseconds', clock_timestamp()) LIMIT $2`,
      [shard, sweepSubjectsMax],
    );
    if (due.length === 0) return 0;
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
      return Number(row!.freed);
    });
  }
}

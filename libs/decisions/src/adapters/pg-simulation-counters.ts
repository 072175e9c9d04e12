import type { ShardedId } from '#kernel';
import type { Database } from '#platform';
import { FOREVER_MS, SimulatedCounters, type SimulatedHold } from '../history/simulated-counters.js';
import type { CounterReader } from '../run-simulation.js';

interface UsageRow {
  readonly counter: string;
  readonly start: Date;
  readonly usedMinor: bigint;
  readonly reservedMinor: bigint;
  readonly usedCount: bigint;
  readonly reservedCount: bigint;
}

interface DueRow {
  readonly decision: string;
  readonly minor: bigint;
  readonly spentMinor: bigint;
  readonly transactions: number;
  readonly expiresAt: Date;
  readonly counters: Readonly<Record<string, string>>;
}

/** One subject's counters and the holds that will have run out, in one snapshot of a transaction that may only read. */
export class PgSimulationCounters implements CounterReader {
  constructor(private readonly database: Database) {}

  async load({ shard, uuid }: ShardedId, at: Date) {
    const counters = new SimulatedCounters();
    await this.database.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const usage = await tx.query<UsageRow>(
        `SELECT counter, window_start AS start, used_minor AS "usedMinor", reserved_minor AS "reservedMinor", used_count AS "usedCount",
                reserved_count AS "reservedCount" FROM usage WHERE shard = $1 AND subject = $2`,
        [shard, uuid],
      );
      const due = await tx.query<DueRow>(
        `SELECT reservation AS decision, amount_minor AS minor, confirmed_minor AS "spentMinor", transactions, expires_at AS "expiresAt", counters
           FROM reservations WHERE shard = $1 AND subject = $2 AND state = 'RESERVED' AND expires_at <= $3`,
        [shard, uuid, at],
      );
      counters.restore(usage.map(usageOf), due.map(holdOf));
    });
    counters.freeExpired(at.getTime());
    return counters.look.bind(counters);
  }
}

function usageOf({ start, usedCount, reservedCount, ...row }: UsageRow) {
  const counts = { usedCount: Number(usedCount), reservedCount: Number(reservedCount) };
  return { ...row, ...counts, startMs: start.getTime(), liveUntilMs: FOREVER_MS };
}

function holdOf({ counters, expiresAt, ...row }: DueRow): SimulatedHold {
  const places = Object.entries(counters).map(([counter, start]) => ({ counter, startMs: Date.parse(start), liveUntilMs: FOREVER_MS }));
  return { ...row, expiresAtMs: expiresAt.getTime(), places, state: 'RESERVED', leftMinor: 0n, isSplit: row.transactions > 1 };
}

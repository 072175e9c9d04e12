import { canonicalize } from '#evidence';
import { type Shard, shardOf } from '#kernel';
import { appendFacts, type Database, leaseIsOver, type Tx } from '#platform';
import {
  type Backtest,
  type BacktestLease,
  BacktestLost,
  type BacktestPart,
  type BacktestState,
  type BacktestStore,
  type NewBacktest,
} from '../history/backtest.js';
import type { Assumption, Beginning } from '../history/redecide.js';
import type { TallyJson } from '../history/tally.js';

interface BacktestRow {
  readonly backtest: string;
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly document: string | null;
  readonly hash: string | null;
  readonly from_at: Date | null;
  readonly to_at: Date | null;
  readonly assume: Assumption;
  readonly beginning: Beginning;
  readonly bounds: string;
  readonly state: BacktestState;
  readonly report: string | null;
  readonly problem: string | null;
  readonly finished_at: Date | null;
  readonly done: bigint | null;
  readonly total: bigint | null;
}

interface PartRow {
  readonly shard: Shard;
  readonly total: bigint;
  readonly decided: bigint;
  readonly after_subject: string | null;
  readonly is_done: boolean;
  readonly tally: string | null;
  readonly digest: string;
}

const SELECT = `SELECT b.backtest, b.requested_by, b.requested_at, b.document, b.hash, b.from_at, b.to_at, b.assume, b.beginning, b.bounds, b.state,
         b.report, b.problem, b.finished_at, p.done, p.total
    FROM backtests b LEFT JOIN LATERAL (
      SELECT sum(decided)::bigint AS done, sum(total)::bigint AS total FROM backtest_parts WHERE backtest = b.backtest) p ON true`;

const OPEN = `state IN ('REQUESTED', 'RUNNING')`;

/** Extends the lease if it is still ours; no row means it is not. Every write starts with it and so holds the row to its commit. */
const HOLD = `UPDATE backtests SET leased_until = clock_timestamp() + $3 * interval '1 ms', state = 'RUNNING'
  WHERE backtest = $1 AND epoch = $2 AND ${OPEN} RETURNING backtest`;

/** Back-tests in PostgreSQL: the state, and who may work on it, is here; a queue job carries the id only. */
export class PgBacktests implements BacktestStore {
  constructor(private readonly database: Database) {}

  async add(asked: NewBacktest): Promise<boolean> {
    return await this.database.transaction(async (tx) => {
      const added = await tx.query(
        `INSERT INTO backtests (backtest, shard, requested_by, requested_at, document, hash, from_at, to_at, assume, beginning, bounds, request_key,
           request_digest)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (requested_by, request_key) WHERE request_key IS NOT NULL DO NOTHING RETURNING backtest`,
        rowOf(asked),
      );
      if (added.length > 0) await appendFacts(tx, [{ shard: shardOf(asked.id), kind: 'backtest.requested', body: requestedBody(asked) }]);
      return added.length > 0;
    });
  }

  async findByKey(requestedBy: string, key: string): Promise<{ readonly id: string; readonly digest: string } | undefined> {
    const [row] = await this.database.query<{ id: string; digest: string }>(
      'SELECT backtest AS id, request_digest AS digest FROM backtests WHERE requested_by = $1 AND request_key = $2',
      [requestedBy, key],
    );
    return row;
  }

  async find(id: string): Promise<Backtest | undefined> {
    const [row] = await this.database.query<BacktestRow>(`${SELECT} WHERE b.backtest = $1`, [id]);
    return row && readBacktest(row);
  }

  async list(countMax: number): Promise<Backtest[]> {
    const rows = await this.database.query<BacktestRow>(`${SELECT} ORDER BY b.requested_at DESC, b.backtest DESC LIMIT $1`, [countMax]);
    return rows.map(readBacktest);
  }

  async outstanding(countMax: number): Promise<BacktestLease[]> {
    return await this.database.query<BacktestLease>(
      `SELECT backtest AS id, epoch FROM backtests WHERE ${OPEN} AND ${leaseIsOver('leased_until')} ORDER BY leased_until, backtest LIMIT $1`,
      [countMax],
    );
  }

  async lease(id: string, leaseMs: number): Promise<BacktestLease | undefined> {
    const [row] = await this.database.query<BacktestLease>(
      `UPDATE backtests SET epoch = epoch + 1, leased_until = clock_timestamp() + $2 * interval '1 ms'
        WHERE backtest = $1 AND ${OPEN} AND ${leaseIsOver('leased_until')} RETURNING backtest AS id, epoch`,
      [id, leaseMs],
    );
    return row;
  }

  async parts(id: string): Promise<BacktestPart[]> {
    const rows = await this.database.query<PartRow>(
      'SELECT shard, total, decided, after_subject, is_done, tally, digest FROM backtest_parts WHERE backtest = $1 ORDER BY shard',
      [id],
    );
    return rows.map(readPart);
  }

  async begin(lease: BacktestLease, parts: readonly BacktestPart[], leaseMs: number): Promise<void> {
    await this.holding(lease, leaseMs, async (tx) => {
      await tx.query(
        `INSERT INTO backtest_parts (backtest, shard, total, is_done, digest)
         SELECT $1, shard, total, is_done, digest
           FROM unnest($2::smallint[], $3::bigint[], $4::boolean[], $5::text[]) AS p (shard, total, is_done, digest)`,
        [
          lease.id,
          parts.map(({ shard }) => shard),
          parts.map(({ total }) => total),
          parts.map(({ isDone }) => isDone),
          parts.map(({ digest }) => digest),
        ],
      );
    });
  }

  async savePart(lease: BacktestLease, part: BacktestPart, leaseMs: number): Promise<void> {
    await this.holding(lease, leaseMs, async (tx) => {
      await tx.query(
        `UPDATE backtest_parts SET decided = $3, after_subject = $4, is_done = $5, tally = $6, digest = $7 WHERE backtest = $1 AND shard = $2`,
        [
          ...[lease.id, part.shard, part.decided, part.afterSubject ?? null, part.isDone],
          ...[part.tally === undefined ? null : JSON.stringify(part.tally), part.digest],
        ],
      );
    });
  }

  async finish(lease: BacktestLease, report: string, reportHash: string): Promise<void> {
    await this.end(lease, 'DONE', { report, fact: { report: reportHash } });
  }

  async fail(lease: BacktestLease, problem: string): Promise<void> {
    await this.end(lease, 'FAILED', { problem, fact: { problem } });
  }

  async release({ id, epoch }: BacktestLease, retryAfterMs: number): Promise<void> {
    await this.database.query(HOLD, [id, epoch, retryAfterMs]);
  }

  async cancel(id: string): Promise<boolean> {
    return await this.database.transaction(async (tx) => {
      const rows = await tx.query(
        `UPDATE backtests SET state = 'CANCELLED', finished_at = clock_timestamp() WHERE backtest = $1 AND ${OPEN} RETURNING backtest`,
        [id],
      );
      if (rows.length > 0) await finished(tx, id, 'CANCELLED', {});
      return rows.length > 0;
    });
  }

  private async end(
    lease: BacktestLease,
    state: 'DONE' | 'FAILED',
    { report, problem, fact }: { report?: string; problem?: string; fact: Readonly<Record<string, string>> },
  ): Promise<void> {
    await this.holding(lease, 0, async (tx) => {
      await tx.query('UPDATE backtests SET state = $2, report = $3, problem = $4, finished_at = clock_timestamp() WHERE backtest = $1', [
        lease.id,
        state,
        report ?? null,
        problem ?? null,
      ]);
      await finished(tx, lease.id, state, fact);
    });
  }

  private async holding(lease: BacktestLease, leaseMs: number, work: (tx: Tx) => Promise<void>): Promise<void> {
    await this.database.transaction(async (tx) => {
      const held = await tx.query(HOLD, [lease.id, lease.epoch, leaseMs]);
      if (held.length === 0) throw new BacktestLost(`back-test ${lease.id} is no longer ours`);
      await work(tx);
    });
  }
}

function rowOf({ id, requestedBy, requestedAt, policy, from, to, assume, begin, bounds, request }: NewBacktest): unknown[] {
  const until = canonicalize(Object.fromEntries([...bounds].map(([shard, seq]) => [shard, seq.toString()])));
  const question = [policy?.text, policy?.hash, from, to, assume, begin, until, request?.key, request?.digest];
  return [id, shardOf(id), requestedBy, requestedAt, ...question.map((value) => value ?? null)];
}

function requestedBody({ id, requestedBy, policy, from, to, assume, begin }: NewBacktest) {
  const range = { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null };
  return { backtest: id, requestedBy, policy: policy?.hash ?? 'recorded', assume, begin, ...range };
}

async function finished(tx: Tx, id: string, state: BacktestState, more: Readonly<Record<string, string>>): Promise<void> {
  await appendFacts(tx, [{ shard: shardOf(id), kind: 'backtest.finished', body: { backtest: id, state, ...more } }]);
}

function readBacktest(row: BacktestRow): Backtest {
  const bounds = Object.entries(JSON.parse(row.bounds) as Record<string, string>);
  return {
    id: row.backtest,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    policy: row.document === null ? undefined : { text: row.document, hash: row.hash! },
    from: row.from_at ?? undefined,
    to: row.to_at ?? undefined,
    assume: row.assume,
    begin: row.beginning,
    bounds: new Map(bounds.map(([shard, seq]) => [Number(shard) as Shard, BigInt(seq)])),
    state: row.state,
    progress: { done: row.done ?? 0n, total: row.total ?? 0n },
    report: row.report ?? undefined,
    problem: row.problem ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  };
}

function readPart({ shard, total, decided, after_subject, is_done, tally, digest }: PartRow): BacktestPart {
  const found = tally === null ? undefined : (JSON.parse(tally) as TallyJson);
  return { shard, total, decided, afterSubject: after_subject ?? undefined, isDone: is_done, tally: found, digest };
}

import { formatId, type Shard, SHARDS } from '#kernel';
import type { SqlRunner } from '#platform';
import type { Outcome, OutcomeCounts, OverviewView } from '../api.js';
import { findShardBounds } from './pg-shard-bounds.js';

const HOUR_SECONDS = 3600;

/** Tried in turn until one is counted whole. */
const WINDOWS_SECONDS = [HOUR_SECONDS, 300, 60];
const BARS = 60;
const DECISIONS_PER_SHARD_MAX = 3_000;
const RECORDS_COUNTED_MAX = 100_000;
const BREAKS_COUNTED_MAX = 10_000;

/** Figures for one screen. Every query reads a bounded number of rows by a primary key, however large the tables are. */
export class PgOverview {
  constructor(private readonly sql: SqlRunner) {}

  async read(at: Date): Promise<OverviewView> {
    const [decisions, records, breaks, log, alarms] = await Promise.all([
      this.decisions(at),
      this.records(),
      this.breaks(),
      this.log(),
      this.alarms(),
    ]);
    return { at: at.toISOString(), decisions, records, breaks, log, alarms };
  }

  private async decisions(at: Date): Promise<OverviewView['decisions']> {
    for (const windowSeconds of WINDOWS_SECONDS) {
      const found = await this.countDecisions(at, windowSeconds);
      if (!found.capped || windowSeconds === WINDOWS_SECONDS.at(-1)) return { windowSeconds, ...found };
    }
    throw new Error('there is at least one window');
  }

  private async countDecisions(at: Date, windowSeconds: number): Promise<Omit<OverviewView['decisions'], 'windowSeconds'>> {
    const from = new Date(at.getTime() - windowSeconds * 1000);
    const { shards, above } = await findShardBounds(this.sql, { from });
    const rows = await this.sql.query<{ bar: number; outcome: Outcome; count: bigint; capped: boolean }>(
      `SELECT least(${BARS - 1}, greatest(0, floor(extract(epoch FROM d.at - $3) * ${BARS} / $5)))::integer AS bar, d.outcome, count(*),
              bool_or(d.place > $4) AS capped
         FROM unnest($1::smallint[], $2::bigint[]) AS p (shard, above)
        CROSS JOIN LATERAL (
          SELECT t.at, t.outcome, row_number() OVER (ORDER BY t.seq DESC) AS place FROM decisions t
           WHERE t.shard = p.shard AND t.seq > p.above ORDER BY t.seq DESC LIMIT $4 + 1) d
        WHERE d.at >= $3 GROUP BY 1, 2`,
      [shards, above, from, DECISIONS_PER_SHARD_MAX, windowSeconds],
    );
    const bars = Array.from({ length: BARS }, () => ({ ALLOW: 0, REVIEW: 0, DENY: 0 }));
    for (const { bar, outcome, count } of rows) bars[bar]![outcome] += Number(count);
    const sum = (outcome: Outcome) => bars.reduce((total, bar) => total + bar[outcome], 0);
    const counts: OutcomeCounts = { ALLOW: sum('ALLOW'), REVIEW: sum('REVIEW'), DENY: sum('DENY') };
    return { counts, bars, capped: rows.some(({ capped }) => capped) };
  }

  private async records(): Promise<OverviewView['records']> {
    const [row] = await this.sql.query<{ counted: bigint; estimated: number; last_at: Date | null }>(
      `SELECT (SELECT count(*) FROM (SELECT 1 FROM records LIMIT $2) counted) AS counted,
              (SELECT reltuples FROM pg_class WHERE oid = 'records'::regclass) AS estimated,
              (SELECT max(r.accepted_at) FROM unnest($1::smallint[]) AS p (shard)
                CROSS JOIN LATERAL (SELECT accepted_at FROM records t WHERE t.shard = p.shard ORDER BY fact_seq DESC LIMIT 1) r) AS last_at`,
      [SHARDS, RECORDS_COUNTED_MAX + 1],
    );
    const about = row!.counted > BigInt(RECORDS_COUNTED_MAX);
    const total = about ? Math.max(RECORDS_COUNTED_MAX, Math.round(row!.estimated)) : row!.counted;
    return { total: total.toString(), about, lastAcceptedAt: row!.last_at?.toISOString() ?? null };
  }

  /** A missing payment that came with a later statement is open no more. */
  private async breaks(): Promise<OverviewView['breaks']> {
    const [row] = await this.sql.query<{ open: bigint; oldest_at: Date | null; shard: Shard | null; id: string | null }>(
      `SELECT count(*) AS open, min(r.received_at) AS oldest_at,
              (array_agg(r.shard ORDER BY r.received_at, r.id))[1] AS shard, (array_agg(r.id ORDER BY r.received_at, r.id))[1] AS id
         FROM (SELECT b.shard, b.reconciliation FROM reconciliation_outcomes b
                WHERE b.kind <> 'MATCHED' AND NOT (b.kind = 'MISSING_THEIRS' AND EXISTS (
                  SELECT 1 FROM reconciliation_outcomes t
                   WHERE t.shard = b.shard AND t.payment = b.payment AND t.line IS NOT NULL AND t.kind <> 'DUPLICATE'))
                LIMIT $1) o
         JOIN reconciliations r ON r.shard = o.shard AND r.id = o.reconciliation`,
      [BREAKS_COUNTED_MAX + 1],
    );
    const open = Number(row!.open);
    const { oldest_at: oldestAt, shard, id } = row!;
    const oldest =
      oldestAt && shard !== null && id !== null ? { at: oldestAt.toISOString(), id: formatId('rec', { shard, uuid: id }) } : null;
    return { open: Math.min(open, BREAKS_COUNTED_MAX), more: open > BREAKS_COUNTED_MAX, oldest };
  }

  private async log(): Promise<OverviewView['log']> {
    const [row] = await this.sql.query<{ facts: string; sealed: string | null; at: Date | null; waiting_since: Date | null }>(
      `SELECT (SELECT sum(last_seq)::text FROM shard_heads) AS facts,
              (SELECT published_size::text FROM log_state WHERE id = 1) AS sealed,
              (SELECT signed_at FROM log_checkpoints ORDER BY size DESC LIMIT 1) AS at,
              (SELECT min(coalesce(f.at, d.at))
                 FROM (SELECT h.shard, coalesce(c.sealed_seq, 0) + 1 AS seq FROM shard_heads h LEFT JOIN log_cursors c USING (shard)
                        WHERE h.last_seq > coalesce(c.sealed_seq, 0)) w
                 LEFT JOIN facts f ON f.shard = w.shard AND f.seq = w.seq
                 LEFT JOIN decisions d ON d.shard = w.shard AND d.seq = w.seq) AS waiting_since`,
    );
    const { facts, sealed, at, waiting_since: since } = row!;
    return { facts, sealed: sealed ?? '0', lastCheckpointAt: at?.toISOString() ?? null, waitingSince: since?.toISOString() ?? null };
  }

  private async alarms(): Promise<OverviewView['alarms']> {
    const rows = await this.sql.query<{ code: string; detail: string; raised_at: Date }>(
      'SELECT code, detail, raised_at FROM log_alarms WHERE cleared_at IS NULL ORDER BY raised_at DESC LIMIT 10',
    );
    return rows.map(({ code, detail, raised_at }) => ({ code, detail, raisedAt: raised_at.toISOString() }));
  }
}

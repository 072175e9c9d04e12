import { hash } from 'node:crypto';
import type { Outcome } from '#contract';
import { invariant, type Shard } from '#kernel';
import type { Database } from '#platform';
import type { DecisionDetails } from '../details.js';
import type { DecisionHistory, HistoryEvent, HistoryRow } from '../history/decision-history.js';
import type { RecordedSettlement } from '../history/recorded.js';
import { FACT_KINDS } from '../reservation.js';

interface DecisionRow {
  readonly seq: bigint;
  readonly at: Date;
  readonly decision: string;
  readonly subject: string;
  readonly outcome: Outcome;
  readonly computed: Outcome;
  readonly policyVersion: bigint;
  readonly standingVersion: bigint;
  readonly expiresAt: Date | null;
  readonly details: string;
  readonly usage: string;
}

const DECISIONS = `SELECT seq, at, decision, subject, outcome, computed, policy_version AS "policyVersion", standing_version AS "standingVersion",
  expires_at AS "expiresAt", details, usage FROM decisions`;

const SETTLEMENTS = 's.seq, s.at, s.reservation AS decision, s.kind, s.amount_minor AS minor';

/** History as PostgreSQL keeps it. Short statements on plain connections: no snapshot is held while somebody decides again. */
export class PgDecisionHistory implements DecisionHistory {
  constructor(private readonly database: Database) {}

  async heads(): Promise<ReadonlyMap<Shard, bigint>> {
    const rows = await this.database.query<{ shard: Shard; seq: bigint }>(
      'SELECT shard, last_seq AS seq FROM shard_heads WHERE last_seq > 0 ORDER BY shard',
    );
    return new Map(rows.map(({ shard, seq }) => [shard, seq]));
  }

  async count(shard: Shard, untilSeq: bigint): Promise<bigint> {
    const [row] = await this.database.query<{ count: bigint }>('SELECT count(*) FROM decisions WHERE shard = $1 AND seq <= $2', [
      shard,
      untilSeq,
    ]);
    return row!.count;
  }

  async span(shard: Shard, untilSeq: bigint): ReturnType<DecisionHistory['span']> {
    const [row] = await this.database.query<{ firstAt: Date | null; lastAt: Date | null }>(
      `SELECT (SELECT at FROM decisions WHERE shard = $1 AND seq <= $2 ORDER BY seq LIMIT 1) AS "firstAt",
              (SELECT at FROM decisions WHERE shard = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1) AS "lastAt"`,
      [shard, untilSeq],
    );
    return row?.firstAt && row.lastAt ? { firstAt: row.firstAt, lastAt: row.lastAt } : undefined;
  }

  /** In the order of the index of idempotency keys, which begins with shard and subject. */
  async bySubject(shard: Shard, untilSeq: bigint, page: Parameters<DecisionHistory['bySubject']>[2]): Promise<HistoryRow[]> {
    const { after, countMax, only } = page;
    const params: unknown[] = [shard, untilSeq, countMax];
    const param = (value: unknown) => `$${params.push(value)}`;
    const conditions = ['shard = $1', 'seq <= $2'];
    if (only) conditions.push(`subject = ANY (${param(only)}::uuid[])`);
    if (after) conditions.push(`subject ${after.seq === undefined ? '>' : '>='} ${param(after.subject)}::uuid`);
    if (after?.seq !== undefined) conditions.push(`(subject, seq) > (${param(after.subject)}::uuid, ${param(after.seq)}::bigint)`);
    const rows = await this.database.query<DecisionRow>(
      `${DECISIONS} WHERE ${conditions.join(' AND ')} ORDER BY subject, seq LIMIT $3`,
      params,
    );
    return rows.map((row) => ({ ...readRow(shard, row), digest: digestOf(row) }));
  }

  async settlementsOf(shard: Shard, decisions: readonly string[], untilSeq: bigint): Promise<RecordedSettlement[]> {
    if (decisions.length === 0) return [];
    return await this.database.query<RecordedSettlement>(
      `SELECT ${SETTLEMENTS} FROM settlements s WHERE s.shard = $1 AND s.reservation = ANY ($2::uuid[]) AND s.seq <= $3 ORDER BY s.seq`,
      [shard, decisions, untilSeq],
    );
  }

  async between(shard: Shard, after: bigint, until: bigint, countMax: number): ReturnType<DecisionHistory['between']> {
    const range = [shard, after, until, countMax];
    const [decisions, settlements] = await Promise.all([
      this.database.query<DecisionRow>(`${DECISIONS} WHERE shard = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4`, range),
      this.database.query<RecordedSettlement & { subject: string }>(
        `SELECT ${SETTLEMENTS}, f.subject
           FROM facts f JOIN settlements s ON s.shard = f.shard AND s.reservation = (f.body::json ->> 'reservation')::uuid AND s.seq = f.seq
          WHERE f.shard = $1 AND f.seq > $2 AND f.seq <= $3 AND f.kind = ANY ($5::text[]) ORDER BY f.seq LIMIT $4`,
        [...range, Object.values(FACT_KINDS)],
      ),
    ]);
    const readTo = [decisions, settlements].reduce((to, rows) => (rows.length < countMax ? to : smaller(to, rows.at(-1)!.seq)), until);
    const events: HistoryEvent[] = [
      ...decisions.map((row) => ({ type: 'decision' as const, seq: row.seq, subject: row.subject, decision: readRow(shard, row) })),
      ...settlements.map(({ subject, ...settlement }) => ({ type: 'settlement' as const, seq: settlement.seq, subject, settlement })),
    ];
    return { events: events.filter(({ seq }) => seq <= readTo).sort((a, b) => (a.seq < b.seq ? -1 : 1)), readTo };
  }
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function readRow(shard: Shard, { expiresAt, details, ...row }: DecisionRow) {
  const parsed = JSON.parse(details) as DecisionDetails;
  invariant(typeof parsed.amount === 'string', 'a decision keeps what was asked');
  return { ...row, shard, expiresAt: expiresAt ?? undefined, details: parsed };
}

/** Over everything that a redecision uses or is compared with. */
function digestOf({
  seq,
  at,
  decision,
  outcome,
  computed,
  policyVersion,
  standingVersion,
  expiresAt,
  details,
  usage,
}: DecisionRow): string {
  const times = [at.getTime(), expiresAt?.getTime() ?? ''];
  return hash('sha256', [seq, decision, outcome, computed, policyVersion, standingVersion, ...times, usage, details].join('\n'));
}

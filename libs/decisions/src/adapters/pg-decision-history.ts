import { hash } from 'node:crypto';
import { invariant, type Shard } from '#kernel';
import type { Database } from '#platform';
import type { DecisionDetails } from '../details.js';
import type { DecisionHistory, HistoryEvent, HistoryRow } from '../history/decision-history.js';
import type { RecordedDecision, RecordedSettlement } from '../history/recorded.js';
import { FACT_KINDS } from '../reservation.js';

interface DecisionRow extends Omit<RecordedDecision, 'shard' | 'expiresAt' | 'details'> {
  readonly expiresAt: Date | null;
  readonly details: string;
}

const DECISIONS = `SELECT seq, at, decision, subject, outcome, computed, policy_version AS "policyVersion", standing_version AS "standingVersion",
  expires_at AS "expiresAt", details, usage FROM decisions`;

const SETTLEMENTS = 's.seq, s.at, s.reservation AS decision, s.kind, s.amount_minor AS minor';

interface AllowanceRow {
  readonly seq: bigint;
  readonly at: Date;
  readonly subject: string;
  readonly fact: keyof typeof ALLOWANCE_KINDS;
  readonly decision: string;
  readonly transactions: number;
  readonly part: string | null;
  readonly minor: bigint | null;
}

/** The facts of an allowance that move counters; its end is a settlement like any other. */
const ALLOWANCE_KINDS = { 'allowance.issued': 'split', 'allowance.spent': 'part', 'allowance.spent_late': 'late' } as const;

const ALLOWANCE_STEPS = `SELECT f.seq, f.at, f.subject, f.kind AS fact, a.allowance AS decision, a.spends_max AS transactions, p.reservation AS part,
    p.amount_minor AS minor
  FROM facts f JOIN allowances a ON a.shard = f.shard AND a.allowance = (f.body::json ->> 'allowance')::uuid
  LEFT JOIN allowance_spends p ON p.shard = a.shard AND p.allowance = a.allowance AND p.seq = f.seq`;

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
    const [own, split] = await Promise.all([this.stepsOf(shard, decisions, untilSeq), this.allowanceSteps(shard, decisions, untilSeq)]);
    if (split.length === 0) return own;
    const parts = new Map(split.flatMap(({ part, decision }) => (part ? [[part, decision] as const] : [])));
    const ofParts = await this.stepsOf(shard, [...parts.keys()], untilSeq);
    const owned = ofParts.map((step) => ({ ...step, allowance: parts.get(step.decision) }));
    return [...own, ...split, ...owned].sort((a, b) => (a.seq < b.seq ? -1 : 1));
  }

  async between(shard: Shard, after: bigint, until: bigint, countMax: number): ReturnType<DecisionHistory['between']> {
    const range = [shard, after, until, countMax];
    const inRange = 'f.shard = $1 AND f.seq > $2 AND f.seq <= $3 AND f.kind = ANY ($5::text[]) ORDER BY f.seq LIMIT $4';
    const [decisions, settlements, split] = await Promise.all([
      this.database.query<DecisionRow>(`${DECISIONS} WHERE shard = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4`, range),
      this.database.query<RecordedSettlement & { subject: string }>(
        `SELECT ${SETTLEMENTS}, f.subject
           FROM facts f JOIN settlements s ON s.shard = f.shard AND s.reservation = (f.body::json ->> 'reservation')::uuid AND s.seq = f.seq
          WHERE ${inRange}`,
        [...range, Object.values(FACT_KINDS)],
      ),
      this.database.query<AllowanceRow>(`${ALLOWANCE_STEPS} WHERE ${inRange}`, [...range, Object.keys(ALLOWANCE_KINDS)]),
    ]);
    const steps = [...settlements, ...split.map(({ subject, ...row }) => ({ subject, ...readAllowanceStep(row) }))];
    const readTo = [decisions, settlements, split].reduce(
      (to, rows) => (rows.length < countMax ? to : smaller(to, rows.at(-1)!.seq)),
      until,
    );
    const events: HistoryEvent[] = [
      ...decisions.map((row) => ({ type: 'decision' as const, seq: row.seq, subject: row.subject, decision: readRow(shard, row) })),
      ...steps.map(({ subject, ...settlement }) => ({ type: 'settlement' as const, seq: settlement.seq, subject, settlement })),
    ];
    return { events: events.filter(({ seq }) => seq <= readTo).sort((a, b) => (a.seq < b.seq ? -1 : 1)), readTo };
  }

  private async stepsOf(shard: Shard, reservations: readonly string[], untilSeq: bigint): Promise<RecordedSettlement[]> {
    return await this.database.query<RecordedSettlement>(
      `SELECT ${SETTLEMENTS} FROM settlements s WHERE s.shard = $1 AND s.reservation = ANY ($2::uuid[]) AND s.seq <= $3 ORDER BY s.seq`,
      [shard, reservations, untilSeq],
    );
  }

  private async allowanceSteps(shard: Shard, decisions: readonly string[], untilSeq: bigint): Promise<RecordedSettlement[]> {
    const allowances = await this.database.query<{ allowance: string; subject: string }>(
      'SELECT allowance, subject FROM allowances WHERE shard = $1 AND allowance = ANY ($2::uuid[])',
      [shard, decisions],
    );
    if (allowances.length === 0) return [];
    const rows = await this.database.query<AllowanceRow>(
      `${ALLOWANCE_STEPS} WHERE f.shard = $1 AND f.subject = ANY ($2::uuid[]) AND f.seq <= $3 AND f.kind = ANY ($4::text[])
         AND a.allowance = ANY ($5::uuid[]) ORDER BY f.seq`,
      [
        ...[shard, [...new Set(allowances.map(({ subject }) => subject))], untilSeq, Object.keys(ALLOWANCE_KINDS)],
        allowances.map(({ allowance }) => allowance),
      ],
    );
    return rows.map(readAllowanceStep);
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

function readAllowanceStep({ seq, at, decision, fact, transactions, part, minor }: Omit<AllowanceRow, 'subject'>): RecordedSettlement {
  return { seq, at, decision, kind: ALLOWANCE_KINDS[fact], transactions, part: part ?? undefined, minor: minor ?? 0n };
}

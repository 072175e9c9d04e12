import { invariant, type Shard, type ShardedId } from '#kernel';
import type { Database, SqlRunner } from '#platform';
import type { DecisionItem, DecisionRow, Ruling, Sighting } from '../decision.js';
import type { DecisionKey, DecisionLedger } from '../store.js';
import { inspectColumns, reserveColumns } from './batch-columns.js';
import { int2Array, uuidArray } from './binary-arrays.js';
import { orLostReply } from './pg-failure.js';

interface RulingRow {
  readonly item: number;
  readonly verdict: 'DECIDED' | 'KNOWN' | 'STALE' | 'REFERENCE' | 'SEEN';
  readonly at_ms: bigint;
  readonly policy_version: bigint;
  readonly usage: string | null;
}

export interface StoredDecision extends Omit<DecisionRow, 'decision' | 'subject' | 'key' | 'expiresAt'> {
  readonly shard: Shard;
  readonly decision: string;
  readonly subject: string;
  readonly key: string | null;
  readonly expiresAt: Date | null;
}

const parameters = (count: number) => Array.from({ length: count }, (_, i) => `$${i + 1}`).join(', ');

const RESERVE = `SELECT item, verdict, at_ms, policy_version, usage FROM reserve_batch(${parameters(35)})`;
const INSPECT = `SELECT item, verdict, at_ms, policy_version, usage FROM inspect_batch(${parameters(14)})`;

export const DECISION_COLUMNS = `shard, seq, at, decision, subject, caller, key, digest, service, outcome, computed, policy_version AS "policyVersion",
  standing_version AS "standingVersion", expires_at AS "expiresAt", details, usage, salt, commitment`;

export async function reserveItems(runner: SqlRunner, items: readonly DecisionItem[]): Promise<readonly Ruling[]> {
  const rows = await runner.query<RulingRow>(RESERVE, reserveColumns(items));
  return inOrder(rows, items.length).map(readRuling);
}

export async function inspectItems(runner: SqlRunner, items: readonly DecisionItem[]): Promise<readonly Sighting[]> {
  const rows = await runner.query<RulingRow>(INSPECT, inspectColumns(items));
  return inOrder(rows, items.length).map(readSighting);
}

/** Decisions on PostgreSQL: one function call and one commit per batch (prisma/migrations/20261121000700_decisions). */
export class PgDecisionLedger implements DecisionLedger {
  constructor(private readonly database: Database) {}

  async reserve(items: readonly DecisionItem[]): Promise<readonly Ruling[]> {
    return await orLostReply(reserveItems(this.database, items));
  }

  async inspect(items: readonly DecisionItem[]): Promise<readonly Sighting[]> {
    return await orLostReply(inspectItems(this.database, items));
  }

  /** Whoever still works on these items holds one of their head rows: taking them means that the work has ended, either way. */
  async findDecided(items: readonly DecisionItem[]): Promise<readonly (Ruling | undefined)[]> {
    const shards = int2Array(items.map(({ decision }) => decision.shard));
    const rows = await this.database.transaction(async (tx) => {
      await tx.query('SELECT shard FROM shard_heads WHERE shard = ANY ($1::smallint[]) ORDER BY shard FOR NO KEY UPDATE', [shards]);
      return await tx.query<{ decision: string; at: Date; usage: string }>(
        `SELECT d.decision, d.at, d.usage FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, decision)
           JOIN decisions d ON d.shard = i.shard AND d.decision = i.decision`,
        [shards, uuidArray(items.map(({ decision }) => decision.uuid))],
      );
    });
    const found = new Map(rows.map(({ decision, at, usage }) => [decision, { verdict: 'DECIDED', at, usage } as const]));
    return items.map(({ decision }) => found.get(decision.uuid));
  }

  async findByKey({ subject, caller, key }: DecisionKey): Promise<DecisionRow | undefined> {
    const where = 'shard = $1 AND subject = $2 AND caller = $3 AND key = $4';
    return await findOne(this.database, where, [subject.shard, subject.uuid, caller, key]);
  }

  async findById(decision: ShardedId): Promise<DecisionRow | undefined> {
    return await findOne(this.database, 'shard = $1 AND decision = $2', [decision.shard, decision.uuid]);
  }
}

async function findOne(runner: SqlRunner, where: string, params: readonly unknown[]): Promise<DecisionRow | undefined> {
  const [row] = await runner.query<StoredDecision>(`SELECT ${DECISION_COLUMNS} FROM decisions WHERE ${where}`, params);
  return row && readDecision(row);
}

export function readDecision({ shard, decision, subject, key, expiresAt, ...row }: StoredDecision): DecisionRow {
  return {
    ...row,
    decision: { shard, uuid: decision },
    subject: { shard, uuid: subject },
    key: key ?? undefined,
    expiresAt: expiresAt ?? undefined,
  };
}

function inOrder(rows: readonly RulingRow[], count: number): RulingRow[] {
  const ordered = new Array<RulingRow>(count);
  for (const row of rows) ordered[row.item - 1] = row;
  invariant(rows.length === count && !ordered.includes(undefined as never), 'the ledger answers every item once');
  return ordered;
}

function readRuling({ verdict, at_ms, policy_version, usage }: RulingRow): Ruling {
  const at = new Date(Number(at_ms));
  if (verdict === 'DECIDED') return { verdict, at, usage: usage! };
  if (verdict === 'STALE') return { verdict, at, policyVersion: policy_version };
  invariant(verdict !== 'SEEN', 'a reservation is not merely seen');
  return { verdict };
}

function readSighting({ verdict, at_ms, policy_version, usage }: RulingRow): Sighting {
  const at = new Date(Number(at_ms));
  return verdict === 'STALE' ? { verdict, at, policyVersion: policy_version } : { verdict: 'SEEN', at, usage: usage! };
}

import { createHash } from 'node:crypto';
import { invariant, type Shard, type ShardedId } from '#kernel';
import { type Database, int2Array, orLostReply, type SqlRunner, uuidArray } from '#platform';
import type { DecisionItem, DecisionRow, Ruling, Sighting } from '../decision.js';
import type { DecisionKey, DecisionLedger } from '../store.js';
import { batchTypes, inspectColumns, reserveColumns } from './batch-columns.js';

export interface StoredDecision extends Omit<DecisionRow, 'decision' | 'subject' | 'key' | 'expiresAt' | 'commitment'> {
  readonly shard: Shard;
  readonly decision: string;
  readonly subject: string;
  readonly key: string | null;
  readonly expiresAt: Date | null;
}

export const RESERVE = 'SELECT at_ms, policy_version, answers FROM reserve_batch($1, $2, $3, $4, $5, $6)';
export const INSPECT = 'SELECT answers FROM inspect_batch($1, $2, $3)';

export const DECISION_COLUMNS = `shard, seq, at, decision, subject, caller, key, digest, service, outcome, computed, policy_version AS "policyVersion",
  standing_version AS "standingVersion", expires_at AS "expiresAt", details, usage, salt`;

export async function reserveItems(runner: SqlRunner, items: readonly DecisionItem[]): Promise<readonly Ruling[]> {
  const columns = reserveColumns(items, await batchTypes(runner));
  const [row] = await runner.query<{ at_ms: bigint; policy_version: bigint; answers: string }>(RESERVE, columns, 'reserve_batch');
  const at = new Date(Number(row!.at_ms));
  return linesOf(row!.answers, items.length).map((line) => readRuling(line, at, row!.policy_version));
}

export async function inspectItems(runner: SqlRunner, items: readonly DecisionItem[]): Promise<readonly Sighting[]> {
  const columns = inspectColumns(items, await batchTypes(runner));
  const [row] = await runner.query<{ answers: string }>(INSPECT, columns, 'inspect_batch');
  return linesOf(row!.answers, items.length).map(readSighting);
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
    commitment: commitmentOf(row),
  };
}

/** What the fact commits to: the salt's 16 bytes and canonical JSON (`details` is that already, and `usage` is digits and signs). */
function commitmentOf({ salt, details, usage }: Pick<StoredDecision, 'salt' | 'details' | 'usage'>): Uint8Array {
  return createHash('sha256')
    .update(Buffer.from(salt.replaceAll('-', ''), 'hex'))
    .update(`{"evaluation":${details},"usage":"${usage}"}`)
    .digest();
}

/** The ledger answers every item once, in order, each on a line of its own. */
function linesOf(answers: string, count: number): string[] {
  const lines = answers.split('\n');
  invariant(lines.length === count, 'the ledger answers every item once');
  return lines;
}

const DECIDED = 'DECIDED ';

function readRuling(line: string, at: Date, policyVersion: bigint): Ruling {
  if (line.startsWith(DECIDED)) return { verdict: 'DECIDED', at, usage: line.slice(DECIDED.length) };
  if (line === 'STALE') return { verdict: line, at, policyVersion };
  invariant(line === 'KNOWN' || line === 'REFERENCE', 'a verdict that we know');
  return { verdict: line };
}

function readSighting(line: string): Sighting {
  const [atMs, policyVersion, verdict, usage] = line.split(' ') as [string, string, string, string?];
  const at = new Date(Number(atMs));
  if (verdict === 'STALE') return { verdict, at, policyVersion: BigInt(policyVersion) };
  invariant(verdict === 'SEEN' && usage !== undefined, 'a verdict that we know');
  return { verdict, at, usage };
}

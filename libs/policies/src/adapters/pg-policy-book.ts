import { appendFacts, type Database, type SqlRunner, type Tx } from '#platform';
import { keepDisputes } from '#standing/adapters/keep-disputes';
import { keepLadder } from '#standing/adapters/keep-ladder';
import { compilePolicy } from '../compile.js';
import { parsePolicy } from '../document.js';
import type { PolicyChange, PolicyVersion } from '../lifecycle.js';
import type { PolicyBook, PolicyShelf } from '../store.js';

type PolicyRow = { readonly [Name in keyof PolicyVersion]: Exclude<PolicyVersion[Name], undefined> | null };

const COLUMNS = `version, id, hash, document AS text, state, author, created_at AS "draftedAt", shadowed_at AS "shadowedAt",
  shadowed_by AS "shadowedBy", approver, approved_at AS "approvedAt", activate_at AS "activateAt", scheduled_by AS "scheduledBy",
  activated_at AS "activatedAt", activated_by AS "activatedBy", retired_at AS "retiredAt", retired_by AS "retiredBy"`;

/** The versions of the policy on PostgreSQL. Changing them is rare and short: it takes every shard's head row and so waits for nobody twice. */
export class PgPolicyBook implements PolicyBook {
  constructor(private readonly database: Database) {}

  async transaction<T>(work: (shelf: PolicyShelf) => Promise<T>): Promise<T> {
    return await this.database.transaction(async (tx) => {
      // The heads come first, in ascending order, as in every transaction that takes several.
      await tx.query('SELECT shard FROM shard_heads ORDER BY shard FOR NO KEY UPDATE');
      return await work({
        find: (version) => find(tx, version),
        findActive: () => findActive(tx),
        countShadows: async () => (await select(tx, `WHERE state = 'SHADOW'`)).length,
        save: (change) => save(tx, change),
      });
    });
  }

  async find(version: bigint): Promise<PolicyVersion | undefined> {
    return await find(this.database, version);
  }

  async findActive(): Promise<PolicyVersion | undefined> {
    return await findActive(this.database);
  }

  async list(): Promise<PolicyVersion[]> {
    return await select(this.database, 'ORDER BY version DESC');
  }

  async due(at: Date): Promise<bigint[]> {
    const rows = await this.database.query<{ version: bigint }>(
      `SELECT version FROM policies WHERE state = 'APPROVED' AND activate_at <= $1 ORDER BY activate_at, version`,
      [at],
    );
    return rows.map(({ version }) => version);
  }
}

async function select(runner: SqlRunner, where: string, params: readonly unknown[] = []): Promise<PolicyVersion[]> {
  const rows = await runner.query<PolicyRow>(`SELECT ${COLUMNS} FROM policies ${where}`, params);
  return rows.map(
    (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? undefined])) as unknown as PolicyVersion,
  );
}

async function find(runner: SqlRunner, version: bigint): Promise<PolicyVersion | undefined> {
  return (await select(runner, 'WHERE version = $1', [version]))[0];
}

async function findActive(runner: SqlRunner): Promise<PolicyVersion | undefined> {
  return (await select(runner, `WHERE state = 'ACTIVE'`))[0];
}

async function save(tx: Tx, { versions, facts }: PolicyChange): Promise<void> {
  for (const one of versions) {
    await tx.query(
      `INSERT INTO policies (version, id, hash, document, author, created_at, state, shadowed_at, approver, approved_at, activate_at, activated_at,
         retired_at, shadowed_by, scheduled_by, activated_by, retired_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
       ON CONFLICT (version) DO UPDATE SET state = excluded.state, shadowed_at = excluded.shadowed_at, approver = excluded.approver,
         approved_at = excluded.approved_at, activate_at = excluded.activate_at, activated_at = excluded.activated_at,
         retired_at = excluded.retired_at, shadowed_by = excluded.shadowed_by, scheduled_by = excluded.scheduled_by,
         activated_by = excluded.activated_by, retired_by = excluded.retired_by`,
      [one.version, one.id, one.hash, one.text, one.author, one.draftedAt, one.state, ...changeable(one)],
    );
    if (one.state === 'ACTIVE') await makeActive(tx, one);
    await tx.query(one.state === 'SHADOW' ? BEGIN_SHADOW : END_SHADOW, [one.version]);
  }
  await appendFacts(tx, facts);
}

/** From here on the heads demand this version, and what violations cost is told by its ladder. */
async function makeActive(tx: Tx, { version, hash, text }: PolicyVersion): Promise<void> {
  const { ladder, disputes } = compilePolicy(parsePolicy(JSON.parse(text)), hash);
  await keepLadder(tx, version, ladder);
  await keepDisputes(tx, version, disputes);
  await tx.query('UPDATE shard_heads SET policy_version = $1', [version]);
}

/** The heads are held: what is decided from now on is compared, from the first to the last decision. */
const BEGIN_SHADOW = `INSERT INTO shadow_cursors (shard, version, begun_after, seq) SELECT shard, $1, last_seq, last_seq FROM shard_heads
  ON CONFLICT ON CONSTRAINT shadow_cursors_pkey DO NOTHING`;
const END_SHADOW = `UPDATE shadow_cursors c SET ended_after = h.last_seq FROM shard_heads h
  WHERE c.version = $1 AND c.ended_after IS NULL AND h.shard = c.shard`;

function changeable(one: PolicyVersion): unknown[] {
  const times = [one.shadowedAt, one.approver, one.approvedAt, one.activateAt, one.activatedAt, one.retiredAt];
  return [...times, one.shadowedBy, one.scheduledBy, one.activatedBy, one.retiredBy].map((value) => value ?? null);
}

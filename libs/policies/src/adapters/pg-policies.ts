import { createHash } from 'node:crypto';
import { canonicalize } from '#evidence';
import { Refusal, shardOf } from '#kernel';
import { appendFacts, type Database, type SqlRunner, type Tx } from '#platform';
import { compilePolicy, type Policy } from '../compile.js';
import { parsePolicy, type PolicyDocument } from '../document.js';

export interface PolicySignatures {
  readonly author: string;
  readonly approver: string;
}

interface PolicyRow {
  readonly version: bigint;
  readonly hash: string;
  readonly document: string;
}

/** The versions of the policy, and which one is active. */
export class PgPolicies {
  constructor(private readonly database: Database) {}

  /**
   * Saves a document and makes it the one that decides, in one transaction with every shard's head row: a decision of the old version
   * either stands before it in its shard or is refused as stale. Activating the active document again changes nothing.
   * Refuses 400 `policy.malformed`, 422 `policy.inconsistent`, 409 `policy.version_taken` (other content) and `policy.four_eyes`.
   */
  async activate(input: unknown, signatures: PolicySignatures, at: Date): Promise<Policy> {
    const document = parsePolicy(input);
    const text = canonicalize(document);
    const hash = createHash('sha256').update(text).digest('hex');
    const policy = compilePolicy(document, hash);
    if (signatures.author === signatures.approver) {
      throw new Refusal('conflict', 'policy.four_eyes', 'the approver of a policy is not its author');
    }
    await this.database.transaction((tx) => activate(tx, document, { version: policy.version, hash, document: text }, signatures, at));
    return policy;
  }

  async findActive(): Promise<Policy | undefined> {
    const [row] = await this.database.query<PolicyRow>(`SELECT version, hash, document FROM policies WHERE state = 'ACTIVE'`);
    return row && readPolicy(row);
  }

  /** A past or present version, for replays and reports. */
  async find(version: bigint): Promise<Policy | undefined> {
    const [row] = await this.database.query<PolicyRow>('SELECT version, hash, document FROM policies WHERE version = $1', [version]);
    return row && readPolicy(row);
  }

  async findActiveVersion(): Promise<bigint | undefined> {
    const [row] = await this.database.query<{ version: bigint }>(`SELECT version FROM policies WHERE state = 'ACTIVE'`);
    return row?.version;
  }
}

/** The hash is checked where it is read, too: a document that was changed in place does not decide. */
function readPolicy({ version, hash, document }: PolicyRow): Policy {
  const actual = createHash('sha256').update(document).digest('hex');
  if (actual !== hash) throw new Error(`policy ${version} does not have the hash it was approved with`);
  return compilePolicy(parsePolicy(JSON.parse(document)), hash);
}

async function activate(tx: Tx, document: PolicyDocument, row: PolicyRow, signatures: PolicySignatures, at: Date): Promise<void> {
  // The heads come first, in ascending order, as in every transaction that takes several.
  await tx.query('SELECT shard FROM shard_heads ORDER BY shard FOR NO KEY UPDATE');
  const known = await findVersion(tx, row.version);
  if (known?.state === 'ACTIVE' && known.hash === row.hash) return;
  if (known && known.hash !== row.hash) {
    const detail = `version ${row.version} exists with other content; raise the version`;
    throw new Refusal('conflict', 'policy.version_taken', detail, { field: '/version' });
  }
  await tx.query(`UPDATE policies SET state = 'RETIRED' WHERE state = 'ACTIVE'`);
  await tx.query(
    `INSERT INTO policies (version, id, hash, document, state, author, approver, created_at, activated_at)
     VALUES ($1, $2, $3, $4, 'ACTIVE', $5, $6, $7, $7)
     ON CONFLICT (version) DO UPDATE SET state = 'ACTIVE', approver = excluded.approver, activated_at = excluded.activated_at`,
    [row.version, document.id, row.hash, row.document, signatures.author, signatures.approver, at],
  );
  await tx.query('UPDATE shard_heads SET policy_version = $1', [row.version]);
  const body = { policy: document.id, version: String(row.version), hash: row.hash, ...signatures };
  await appendFacts(tx, [{ shard: shardOf(document.id), kind: 'policy.activated', body }]);
}

async function findVersion(runner: SqlRunner, version: bigint): Promise<{ hash: string; state: string } | undefined> {
  const [row] = await runner.query<{ hash: string; state: string }>('SELECT hash, state FROM policies WHERE version = $1', [version]);
  return row;
}

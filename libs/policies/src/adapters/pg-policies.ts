import { createHash } from 'node:crypto';
import type { Database } from '#platform';
import { compilePolicy, type Policy } from '../compile.js';
import { parsePolicy } from '../document.js';
import type { PolicyVersion } from '../lifecycle.js';
import { PolicyLife, type PolicySignatures } from '../policy-life.js';
import type { OnRuleFailure } from '../rules/judge-rules.js';
import { PgPolicyBook } from './pg-policy-book.js';
import { countsFailures } from './rule-failures.js';

export type { PolicySignatures };

/** The life of policies on this database. */
export function policyLife(database: Database): PolicyLife {
  return new PolicyLife(new PgPolicyBook(database), sha256Hex);
}

/** Policies ready to decide with, and which one is active. */
export class PgPolicies {
  private readonly book: PgPolicyBook;

  constructor(private readonly database: Database) {
    this.book = new PgPolicyBook(database);
  }

  /**
   * Saves a document and makes it the one that decides, in one transaction with every shard's head row: a decision of the old version
   * either stands before it in its shard or is refused as stale. Refuses what `PolicyLife.adopt` refuses.
   */
  async activate(input: unknown, signatures: PolicySignatures, at: Date): Promise<Policy> {
    return await policyLife(this.database).adopt(input, signatures, at);
  }

  /** Ready to decide with; a rule of it that fails is counted (`tallystick_rule_failures_total`). */
  async findActive(): Promise<Policy | undefined> {
    const version = await this.book.findActive();
    return version && readPolicy(version, countsFailures(version));
  }

  /** As it was approved; its hash is checked. */
  async findActiveDocument(): Promise<PolicyVersion | undefined> {
    const version = await this.book.findActive();
    if (version) refuseChanged(version);
    return version;
  }

  /** A past or present version, for replays and reports. */
  async find(version: bigint): Promise<Policy | undefined> {
    const found = await this.book.find(version);
    return found && readPolicy(found);
  }

  /** Every version that ever decided. */
  async decided(): Promise<ReadonlyMap<bigint, Policy>> {
    const versions = (await this.book.list()).filter(({ activatedAt }) => activatedAt !== undefined);
    return new Map(versions.map((version) => [version.version, readPolicy(version)]));
  }

  async findActiveVersion(): Promise<bigint | undefined> {
    const [row] = await this.database.query<{ version: bigint }>(`SELECT version FROM policies WHERE state = 'ACTIVE'`);
    return row?.version;
  }
}

function readPolicy(version: PolicyVersion, onRuleFailure?: OnRuleFailure): Policy {
  refuseChanged(version);
  return compilePolicy(parsePolicy(JSON.parse(version.text)), version.hash, onRuleFailure);
}

/** The hash is checked where it is read, too: a document that was changed in place does not decide. */
function refuseChanged({ version, hash, text }: PolicyVersion): void {
  if (sha256Hex(text) !== hash) throw new Error(`policy ${version} does not have the hash it was approved with`);
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

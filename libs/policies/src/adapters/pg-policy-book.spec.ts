import { afterEach, describe, expect, it } from 'vitest';
import { shardOf } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { policyBookContract } from '../testing/policy-book-contract.js';
import { policyInput } from '../testing/house-policy.js';
import { PgPolicies, policyLife } from './pg-policies.js';
import { PgPolicyBook } from './pg-policy-book.js';

const AT = new Date('2026-11-22T08:00:00Z');

let fresh: FreshDatabase;
afterEach(() => fresh.close());

describe('the policy book on PostgreSQL', () => {
  policyBookContract(async () => {
    fresh = await freshDatabase();
    return {
      book: new PgPolicyBook(fresh.database),
      factKinds: async () => {
        const sql = 'SELECT kind FROM facts WHERE shard = $1 ORDER BY seq';
        return (await fresh.database.query<{ kind: string }>(sql, [shardOf('house')])).map(({ kind }) => kind);
      },
    };
  });

  it('puts the active version into every head row', async () => {
    fresh = await freshDatabase();
    const life = policyLife(fresh.database);
    for (const version of [1, 2]) await life.adopt(policyInput({ version }), { author: 'ann', approver: 'ben' }, AT);
    const heads = await fresh.database.query('SELECT DISTINCT policy_version FROM shard_heads');
    expect(heads).toEqual([{ policy_version: 2n }]);
    expect((await new PgPolicies(fresh.database).findActive())!.version).toBe(2n);
  });

  it('lets no application change what was drafted', async () => {
    fresh = await freshDatabase();
    await policyLife(fresh.database).draft(policyInput(), 'ann', AT);
    for (const column of ['document', 'hash', 'author', 'id']) {
      await expect(fresh.database.query(`UPDATE policies SET ${column} = 'x'`)).rejects.toThrow('permission denied');
    }
  });
});

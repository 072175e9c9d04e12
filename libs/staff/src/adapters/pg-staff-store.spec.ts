import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Facts } from '#kernel';
import { freshDatabase } from '#platform/testing/database';
import { staffStoreContract } from '../testing/staff-store-contract.js';
import { createStaffAccount, resetStaffPassword } from './create-staff-account.js';
import { NodeSecrets } from './node-secrets.js';
import { PgStaffStore } from './pg-staff-store.js';

let world: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => void (world = await freshDatabase()));
afterAll(() => world.close());

const countFacts = async (kind: string): Promise<number> => {
  const [row] = await world.database.query<{ count: bigint }>('SELECT count(*) FROM facts WHERE kind = $1', [kind]);
  return Number(row!.count);
};

staffStoreContract('PostgreSQL', async () => ({ store: new PgStaffStore(world.database), countFacts }));

it('creates an account once and shows its password once', async () => {
  const created = await createStaffAccount(world.database, { name: 'admin', role: 'compliance' });
  expect(created?.password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
  expect(await createStaffAccount(world.database, { name: 'admin', role: 'compliance' })).toBeUndefined();

  const store = new PgStaffStore(world.database);
  const stored = await store.findAccount('admin');
  expect(await new NodeSecrets().matchesPassword(created!.password, stored?.passwordHash)).toBe(true);

  const { password: next } = await resetStaffPassword(world.database, 'admin');
  const replaced = await store.findAccount('admin');
  expect(await new NodeSecrets().matchesPassword(created!.password, replaced?.passwordHash)).toBe(false);
  expect(await new NodeSecrets().matchesPassword(next, replaced?.passwordHash)).toBe(true);
});

it('lets a sign-in wait for the one who disables the account at this moment', async () => {
  await createStaffAccount(world.database, { name: 'eve', role: 'risk' });
  const store = new PgStaffStore(world.database);
  const account = (await store.findAccount('eve'))!;
  const at = new Date();
  const session = { id: randomUUID(), account, tokenDigest: new Uint8Array(32), createdAt: at, seenAt: at };
  const facts: Facts = [{ shard: 0, kind: 'staff.signed_in', body: {} }];
  const opening = await world.database.transaction(async (tx) => {
    await tx.query(`UPDATE staff_accounts SET state = 'DISABLED' WHERE id = $1`, [account.id]);
    const started = store.openSession(session, { clear: 'name:eve', giveBack: [] }, facts);
    await Promise.race([started, vi.waitFor(async () => expect(await waiting()).toBe(1), { timeout: 20_000 })]);
    return { started };
  });
  expect(await opening.started).toBe(false);
});

/** How many wait for the lock of an account's row. */
const waiting = async (): Promise<number> => {
  const held = await world.database.query(
    `SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE d.datname = current_database() AND l.locktype = 'tuple' AND l.relation = 'staff_accounts'::regclass`,
  );
  return held.length;
};

it('refuses names and passwords out of form', async () => {
  await expect(createStaffAccount(world.database, { name: 'Ada!', role: 'risk' })).rejects.toMatchObject({ code: 'staff.name_malformed' });
  await expect(createStaffAccount(world.database, { name: 'ada', role: 'risk', password: 'short' })).rejects.toMatchObject({
    code: 'staff.password_weak',
  });
});

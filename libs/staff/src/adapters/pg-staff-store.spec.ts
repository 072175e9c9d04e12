import { afterAll, beforeAll, expect, it } from 'vitest';
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

  const next = await resetStaffPassword(world.database, 'admin');
  const replaced = await store.findAccount('admin');
  expect(await new NodeSecrets().matchesPassword(created!.password, replaced?.passwordHash)).toBe(false);
  expect(await new NodeSecrets().matchesPassword(next, replaced?.passwordHash)).toBe(true);
});

it('refuses names and passwords out of form', async () => {
  await expect(createStaffAccount(world.database, { name: 'Ada!', role: 'risk' })).rejects.toMatchObject({ code: 'staff.name_malformed' });
  await expect(createStaffAccount(world.database, { name: 'ada', role: 'risk', password: 'short' })).rejects.toMatchObject({
    code: 'staff.password_weak',
  });
});

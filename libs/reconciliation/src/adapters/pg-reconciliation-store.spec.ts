import { afterAll, describe } from 'vitest';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { reconciliationStoreContract } from '../testing/reconciliation-store-contract.js';
import { PgReconciliationStore } from './pg-reconciliation-store.js';

describe('the reconciliation store on PostgreSQL', () => {
  const opened: FreshDatabase[] = [];
  afterAll(async () => void (await Promise.all(opened.map((fresh) => fresh.close()))));

  reconciliationStoreContract(async () => {
    const fresh = await freshDatabase();
    opened.push(fresh);
    const factsSaved = async () => (await fresh.database.query<{ count: number }>('SELECT count(*)::int AS count FROM facts'))[0]!.count;
    return { store: new PgReconciliationStore(fresh.database), factsSaved };
  });
});

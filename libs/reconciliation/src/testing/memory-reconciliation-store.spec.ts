import { describe } from 'vitest';
import { MemoryReconciliationStore } from './memory-reconciliation-store.js';
import { reconciliationStoreContract } from './reconciliation-store-contract.js';

describe('the reconciliation store in memory', () => {
  reconciliationStoreContract(async () => {
    const store = new MemoryReconciliationStore();
    return { store, factsSaved: async () => store.facts.length };
  });
});

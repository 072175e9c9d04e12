import { describe } from 'vitest';
import { MemoryPolicyBook } from './memory-policy-book.js';
import { policyBookContract } from './policy-book-contract.js';

describe('the policy book in memory', () => {
  policyBookContract(async () => {
    const book = new MemoryPolicyBook();
    return { book, factKinds: async () => book.facts.map(({ kind }) => kind) };
  });
});

import { describe } from 'vitest';
import { disputesContract } from './disputes-contract.js';
import { MemoryExchange } from './memory-exchange.js';

describe('disputes in memory', () => {
  disputesContract(async () => {
    const exchange = new MemoryExchange();
    return {
      exchange,
      queue: exchange,
      reader: exchange,
      clocks: exchange.disputes,
      factKinds: () => exchange.factKinds(),
      setPolicy: async (policy) => void (exchange.disputes.terms = policy),
      readRating: (subject, ref, bank) => exchange.readRating(subject, ref, bank),
    };
  });
});

import { describe } from 'vitest';
import { exchangeContract } from './exchange-contract.js';
import { MemoryExchange } from './memory-exchange.js';

describe('the exchange in memory', () => {
  exchangeContract(async () => {
    const exchange = new MemoryExchange();
    return { exchange, queue: exchange, reader: exchange, factKinds: () => exchange.factKinds() };
  });
});

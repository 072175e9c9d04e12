import { describe } from 'vitest';
import { exchangeContract } from './exchange-contract.js';
import { MemoryExchange } from './memory-exchange.js';
import { restrictionsContract } from './restrictions-contract.js';

async function open() {
  const exchange = new MemoryExchange();
  return { exchange, queue: exchange, reader: exchange, lists: exchange, factKinds: () => exchange.factKinds() };
}

describe('the exchange in memory', () => {
  exchangeContract(open);
});

describe('restrictions in memory', () => {
  restrictionsContract(open);
});

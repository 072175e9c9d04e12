import { describe } from 'vitest';
import { MemoryRecordBook } from './memory-record-book.js';
import { recordBookContract } from './record-book-contract.js';

describe('the record book in memory', () => {
  const book = new MemoryRecordBook();
  recordBookContract((work) => work(book));
});

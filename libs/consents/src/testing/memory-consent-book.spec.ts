import { describe } from 'vitest';
import { consentBookContract } from './consent-book-contract.js';
import { MemoryConsentBook } from './memory-consent-book.js';

describe('the consent book in memory', () => {
  const book = new MemoryConsentBook();
  consentBookContract((work) => work(book));
});

import { describe } from 'vitest';
import { consentLedgerContract } from './consent-ledger-contract.js';
import { consentAt } from './consents.js';
import { MemoryConsentLedger } from './memory-consent-ledger.js';

describe('the consent ledger in memory', () => {
  const ledger = new MemoryConsentLedger(() => consentAt);
  consentLedgerContract((work) => work(ledger));
});

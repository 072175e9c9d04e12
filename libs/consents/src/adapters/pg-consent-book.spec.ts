import { afterAll, beforeAll, describe } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { consentBookContract } from '../testing/consent-book-contract.js';
import { PgConsentBook } from './pg-consent-book.js';

describe('the consent book in PostgreSQL', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.close());
  consentBookContract((work) => fresh.database.transaction((tx) => work(new PgConsentBook(tx))));
});

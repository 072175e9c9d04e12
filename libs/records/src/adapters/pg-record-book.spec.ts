import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { recordBookContract } from '../testing/record-book-contract.js';
import { PgRecordBook } from './pg-record-book.js';

describe('the record book in PostgreSQL', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.close());
  recordBookContract((work) => fresh.database.transaction((tx) => work(new PgRecordBook(tx))));

  it.each(['records', 'record_identities', 'record_equivocations'])('lets no application change or remove a row of %s', async (table) => {
    await expect(fresh.database.query(`DELETE FROM ${table}`)).rejects.toThrow(/permission denied/);
    await expect(fresh.database.query(`UPDATE ${table} SET iss = 'bank-z'`)).rejects.toThrow(/permission denied/);
  });
});

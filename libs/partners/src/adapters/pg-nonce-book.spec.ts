import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { PgNonceBook } from './pg-nonce-book.js';

let fresh: FreshDatabase;
beforeAll(async () => void (fresh = await freshDatabase()));
afterAll(() => fresh.close());

describe('nonces', () => {
  it('each is good once for each participant, over processes and restarts', async () => {
    const [one, other] = [new PgNonceBook(fresh.database), new PgNonceBook(fresh.database)];
    expect(await one.claim('bank-a', 'nonce-1')).toBe(true);
    expect(await one.claim('bank-a', 'nonce-1')).toBe(false);
    expect(await other.claim('bank-a', 'nonce-1')).toBe(false);
    expect(await new PgNonceBook(fresh.database).claim('bank-a', 'nonce-1')).toBe(false);
    expect(await other.claim('bank-b', 'nonce-1')).toBe(true);
  });

  it('claimed by many at once have exactly one winner each', async () => {
    const books = [1, 2, 3].map(() => new PgNonceBook(fresh.database));
    const claims = Array.from({ length: 900 }, (_, i) => ({ book: books[i % 3]!, nonce: `n-${(i * 7) % 100}` }));
    const won = await Promise.all(claims.map(async ({ book, nonce }) => ((await book.claim('bank-a', nonce)) ? nonce : undefined)));
    expect(won.filter((nonce) => nonce !== undefined).sort()).toEqual([...new Set(claims.map(({ nonce }) => nonce))].sort());
  });

  it('that PostgreSQL did not confirm is refused, and the book goes on', async () => {
    let broken = true;
    const book = new PgNonceBook({
      query: (sql, params) => (broken ? Promise.reject(new Error('gone')) : fresh.database.query(sql, params)),
      typeOid: (type) => fresh.database.typeOid(type),
    });
    await expect(book.claim('bank-a', 'later')).rejects.toThrow(/nonce.unconfirmed/);
    broken = false;
    expect(await book.claim('bank-a', 'later')).toBe(true);
  });

  it('are forgotten after their life, and not before', async () => {
    const book = new PgNonceBook(fresh.database);
    await book.claim('bank-a', 'young');
    const owner = new pg.Client({ connectionString: fresh.url });
    await owner.connect();
    await owner.query(`INSERT INTO request_nonces VALUES ('bank-a', 'old', clock_timestamp() - interval '11 minutes')`);
    await owner.end();
    expect(await book.sweep()).toBe(1);
    expect(await Promise.all(['young', 'old'].map((nonce) => book.claim('bank-a', nonce)))).toEqual([false, true]);
  });
});

import { PgConsentBook } from '#consents/adapters/pg-consent-book';
import { type ShardedId, SHARDS } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import type { Books, Exchange } from '../store.js';
import { dueOnShard, PgStandingBook } from './pg-standing-book.js';

/** Everything that one transaction of the exchange reads and writes. */
export function booksOf(tx: Tx): Books {
  return {
    consents: new PgConsentBook(tx),
    records: new PgRecordBook(tx),
    standings: new PgStandingBook(tx),
    facts: { append: (facts) => appendFacts(tx, facts) },
  };
}

/** The exchange's books over one PostgreSQL transaction. */
export class PgExchange implements Exchange {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (books: Books) => Promise<T>): Promise<T> {
    return this.database.transaction((tx) => work(booksOf(tx)));
  }

  async due(at: Date, countMax: number): Promise<ShardedId[]> {
    const found: ShardedId[] = [];
    for (const shard of SHARDS) {
      if (found.length < countMax) found.push(...(await dueOnShard(this.database, shard, at, countMax - found.length)));
    }
    return found;
  }
}

import pg from 'pg';
import type { Fact, Shard } from '#kernel';
import { appendFacts } from '#platform';
import { freshDatabase } from '#platform/testing/database';
import { PgAlarms } from '../adapters/pg-alarms.js';
import { PgFactSource } from '../adapters/pg-fact-source.js';
import { PgLogStore } from '../adapters/pg-log-store.js';
import { MemoryLogFiles } from './memory-log.js';
import { newSigner, type SealingWorld } from './sealing-world.js';

/** A sealing world on a private PostgreSQL database. */
export async function pgWorld(): Promise<
  SealingWorld & { readonly url: string; readonly database: Awaited<ReturnType<typeof freshDatabase>>['database'] }
> {
  const { url, database, close } = await freshDatabase();
  return {
    url,
    database,
    store: new PgLogStore(database),
    files: new MemoryLogFiles(),
    sources: [new PgFactSource(database)],
    alarms: new PgAlarms(database, { error: () => undefined }),
    signer: newSigner(),
    addFacts: async (shard, count) => {
      const fact = (n: number): Fact => ({ shard, kind: 'test.happened', subject: '0192f3a0-1111-7aaa-8bbb-00000000c0de', body: { n } });
      await database.transaction((tx) => appendFacts(tx, [fact(0), ...Array.from({ length: count - 1 }, (_, n) => fact(n + 1))]));
    },
    removeFact: (shard, seq) => removeAsOwner(url, shard, seq),
    close,
  };
}

async function removeAsOwner(url: string, shard: Shard, seq: bigint): Promise<void> {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  try {
    await owner.query('DELETE FROM facts WHERE shard = $1 AND seq = $2', [shard, seq]);
  } finally {
    await owner.end();
  }
}

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';

/** The advisory lock that `prisma migrate deploy` takes, so that the two never run at once. */
const PRISMA_MIGRATE_LOCK = 72_707_369;

const BOOK = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL,
  logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

/**
 * Applies `prisma/migrations` in order and keeps Prisma's own book, so that `prisma migrate status` agrees afterwards.
 * (Prisma's CLI would download an engine first; a fresh machine may have no way to it.)
 * @param url a role that owns the schema, @returns the names applied now
 */
export async function migrate(url: string, folder = path.resolve('prisma/migrations')): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_MIGRATE_LOCK]);
    await client.query(BOOK);
    const applied: string[] = [];
    for (const name of migrationNames(folder)) if (await apply(client, folder, name)) applied.push(name);
    return applied;
  } finally {
    await client.end();
  }
}

function migrationNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => existsSync(path.join(folder, name, 'migration.sql')))
    .sort();
}

async function apply(client: pg.Client, folder: string, name: string): Promise<boolean> {
  const sql = readFileSync(path.join(folder, name, 'migration.sql'), 'utf8');
  const checksum = createHash('sha256').update(sql).digest('hex');
  const known = await client.query(
    'SELECT checksum, finished_at FROM _prisma_migrations WHERE migration_name = $1 AND rolled_back_at IS NULL',
    [name],
  );
  const row = known.rows[0] as { checksum: string; finished_at: Date | null } | undefined;
  if (row?.finished_at) {
    if (row.checksum !== checksum)
      throw new Error(`migration ${name} was edited after it was applied; run "npm run reset" (development) or restore the file`);
    return false;
  }
  if (row) throw new Error(`migration ${name} failed before; resolve it first (see _prisma_migrations.logs)`);
  const id = randomUUID();
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [id, checksum, name]);
  try {
    // A multi-statement query is one transaction: a failed migration leaves nothing behind but its line in the book.
    await client.query(sql);
  } catch (error) {
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, String(error)]);
    throw error;
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id]);
  return true;
}

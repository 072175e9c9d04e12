import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { Database } from '../database.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The migrated template, as its owner. Do not connect to it: copies need it idle. */
    TEST_DATABASE_URL: string;
    /** A real Redis; undefined on a machine without redis-server (never in CI). */
    TEST_REDIS_URL: string | undefined;
  }
}

export interface FreshDatabase {
  /** As the owner of the schema; `database` acts as the applications' role. */
  readonly url: string;
  readonly database: Database;
  close(): Promise<void>;
}

let ownTemplate: string | undefined;

/** From now on fresh databases of this test file are copies of this one: on a server that it may stop. */
export function copyFrom(template: string): void {
  ownTemplate = template;
}

/** A private, migrated, empty database on the test run's one PostgreSQL. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const template = new URL(ownTemplate ?? inject('TEST_DATABASE_URL'));
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(template, `CREATE DATABASE ${name} TEMPLATE ${template.pathname.slice(1)}`);
  const url = new URL(template);
  url.pathname = name;
  const database = await Database.open(url.href);
  return {
    url: url.href,
    database,
    close: async () => {
      await database.close();
      await administer(template, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function administer(template: URL, sql: string): Promise<void> {
  const url = new URL(template);
  url.pathname = 'postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

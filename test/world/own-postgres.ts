import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrate, startPostgres } from '#platform';
import { copyFrom } from '#platform/testing/database';

const TEMPLATE = 'template_tallystick';

/** A PostgreSQL of this test file alone, which it may stop. Fresh databases stand there from now on. */
export interface OwnPostgres {
  stop(): Promise<void>;
  /** Again, where it was. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function ownPostgres(): Promise<OwnPostgres> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-own-'));
  // The account of the server must pass through it.
  chmodSync(folder, 0o711);
  const pgFolder = path.join(folder, 'pg');
  let server = await startPostgres({ folder: pgFolder });
  const url = new URL(server.url);
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  url.pathname = TEMPLATE;
  await migrate(url.href);
  copyFrom(url.href);
  return {
    stop: () => server.stop(),
    start: async () => void (server = await startPostgres({ folder: pgFolder, port: Number(url.port) })),
    close: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

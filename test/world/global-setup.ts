import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import '#platform/testing/database';
import { findRedisServer, migrate, type ServerProcess, startPostgres, startRedis } from '#platform';

const TEMPLATE = 'template_tallystick';
const MEMORY_DISK = '/dev/shm';
const MEMORY_DISK_BYTES_MIN = 2 * 2 ** 30;

/** As durable as the product, but on a memory disk where there is one, and without what only a crash of the machine would need. */
const QUICK = { wal_level: 'minimal', max_wal_senders: '0', full_page_writes: 'off', max_connections: '300', checkpoint_timeout: '1h' };

/** Starts PostgreSQL and, where the machine has one, Redis; migrates the template that every test file copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(temporaryFolder(), 'tallystick-test-'));
  // Nothing secret stands in the folder itself, and the server's account must pass through it.
  chmodSync(folder, 0o711);
  const servers: ServerProcess[] = [];
  const killNow = () => {
    for (const { pid } of servers) if (isAlive(pid)) process.kill(pid, 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  };
  process.once('exit', killNow);
  try {
    servers.push(await startPostgres({ folder: path.join(folder, 'pg'), settings: QUICK }));
    project.provide('TEST_DATABASE_URL', await makeTemplate(servers[0]!.url));
    project.provide('TEST_REDIS_URL', await redis(folder, servers));
  } catch (error) {
    killNow();
    throw error;
  }
  return async () => {
    process.off('exit', killNow);
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
}

function temporaryFolder(): string {
  try {
    const disk = statfsSync(MEMORY_DISK);
    if (disk.bavail * disk.bsize > MEMORY_DISK_BYTES_MIN) return MEMORY_DISK;
  } catch {
    // No memory disk here.
  }
  return tmpdir();
}

async function makeTemplate(server: string): Promise<string> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  const url = new URL(server);
  url.pathname = TEMPLATE;
  await migrate(url.href);
  return url.href;
}

async function redis(folder: string, servers: ServerProcess[]): Promise<string | undefined> {
  const command = findRedisServer();
  if (command) {
    const server = await startRedis({ command, folder: path.join(folder, 'redis'), password: randomBytes(16).toString('hex') });
    servers.push(server);
    return server.url;
  }
  if (process.env.CI === 'true') throw new Error('CI needs a Redis: apt-get install redis-server');
  console.warn('no redis-server on this machine: the tests that need Redis are skipped');
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

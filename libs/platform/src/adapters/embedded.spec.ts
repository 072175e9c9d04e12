import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endPostgresLeftover, startPostgres } from '../embedded/postgres.js';
import { findRedisServer, startRedis } from '../embedded/redis.js';
import type { ServerProcess } from '../embedded/server-process.js';

let folder: string;
let running: ServerProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-embedded-'));
  chmodSync(folder, 0o711);
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  const start = async () => (running = await startPostgres({ folder: path.join(folder, 'pg') }));

  it('lets nobody in without its random password, and listens nowhere but on loopback', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'postgres';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect(await query(url, `SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'unix_socket_directories')`)).toEqual(
      [
        { name: 'listen_addresses', setting: '127.0.0.1' },
        { name: 'unix_socket_directories', setting: '' },
      ],
    );
    expect(readFileSync(path.join(folder, 'pg/cluster/pg_hba.conf'), 'utf8')).not.toMatch(/^[^#]*trust/m);
    expect(statSync(path.join(folder, 'pg')).mode & 0o777).toBe(0o700);
  });

  it('is as durable as the product needs, by default', async () => {
    const { url } = await start();
    const settings = `SELECT current_setting('fsync') f, current_setting('synchronous_commit') s, current_setting('full_page_writes') p`;
    expect(await query(url, settings)).toEqual([{ f: 'on', s: 'on', p: 'on' }]);
  });

  it('keeps its data when killed, and starts again on the same folder', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await start();
    expect(await query(second.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
  });

  it('of an earlier start is ended before a new one takes the folder', async () => {
    const first = await start();
    const second = await start();
    await first.exited;
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await endPostgresLeftover(path.join(folder, 'pg'))).toBe(true);
    expect(await endPostgresLeftover(path.join(folder, 'pg'))).toBe(false);
  });

  it('says why it did not start', async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    await expect(startPostgres({ folder: path.join(folder, 'other'), port })).rejects.toThrow(/could not bind|Address already in use/);
  });
});

describe.skipIf(!findRedisServer())('the Redis of this machine', () => {
  it('asks for a password, evicts nothing and appends to disk', async () => {
    running = await startRedis({ command: findRedisServer()!, folder: path.join(folder, 'redis'), password: 'right' });
    const { Redis } = await import('ioredis');
    const redis = new Redis(running.url);
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    expect(await redis.config('GET', 'bind')).toEqual(['bind', '127.0.0.1']);
    redis.disconnect();
    const stranger = new Redis(running.url.replace('right', 'wrong'), {
      lazyConnect: true,
      retryStrategy: () => null,
      enableReadyCheck: false,
    });
    stranger.on('error', () => undefined);
    await expect(stranger.ping()).rejects.toThrow();
    stranger.disconnect();
  });
});

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OWN } from './installation.js';
import { choosePostgres, chooseRedis } from './servers.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-path-'));
  writeFileSync(path.join(folder, 'valkey-server'), '#!/bin/sh\n');
  chmodSync(path.join(folder, 'valkey-server'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the line that says which server and why', () => {
  it('names REDIS_URL without its password', async () => {
    const theirs = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => theirs.once('listening', resolve));
    const { port } = theirs.address() as AddressInfo;
    const choice = await chooseRedis(folder, { REDIS_URL: `redis://:secret@127.0.0.1:${port}` }, {});
    expect(choice.line).toBe(`queues on the Redis at 127.0.0.1:${port} (REDIS_URL)`);
    expect(choice.start).toBeUndefined();
    theirs.close();
  });

  it('refuses a REDIS_URL where nothing answers', async () => {
    await expect(chooseRedis(folder, { REDIS_URL: 'redis://:secret@127.0.0.1:1' }, {})).rejects.toThrow(
      /^nothing answers at 127.0.0.1:1: /,
    );
  });

  it('names the server found on PATH, which gets a password and a free port', async () => {
    const choice = await chooseRedis(folder, {}, { PATH: `relative:${folder}` });
    expect(choice.line).toMatch(/^queues on valkey-server from PATH, port \d+ \(REDIS_URL is not set\)$/);
    expect(choice.environment['REDIS_URL']).toMatch(/^redis:\/\/:[0-9a-f]{48}@127\.0\.0\.1:\d+$/);
    expect(choice.environment[OWN.redisCommand]).toBe(path.join(folder, 'valkey-server'));
  });

  it('says why there is none', async () => {
    expect((await chooseRedis(folder, {}, { PATH: '/nowhere' })).line).toBe(
      'queues on PostgreSQL (REDIS_URL is not set, and no redis-server or valkey-server is on PATH)',
    );
    expect((await chooseRedis(folder, {}, { PATH: folder, REDIS_URL: '' })).line).toBe('queues on PostgreSQL (REDIS_URL is empty)');
  });

  it('names DATABASE_URL without its password', async () => {
    const choice = await choosePostgres(folder, { DATABASE_URL: 'postgresql://owner:secret@db.example/tally' });
    expect(choice.line).toBe('PostgreSQL at db.example (DATABASE_URL)');
    expect(choice.start).toBeUndefined();
  });
});

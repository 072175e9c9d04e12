import 'reflect-metadata';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import supertest from 'supertest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { findRedisServer, type ServerProcess, startRedis } from '#platform';
import { JobSender } from '#platform/adapters/queues.module';
import { camt053, samplePayment } from '#reconciliation/testing/samples';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { insertPayments, until, type WorkerWorld, workerWorld } from '../world/worker-world.js';

const WORKER = 'dist/apps/worker/src/main.js';
const hasRedis = inject('TEST_REDIS_URL') !== undefined;
const logger = pino({ level: 'silent', base: { app: 'worker' } });
const entries = (from: number, count: number) => Array.from({ length: count }, (_, i) => ({ endToEndId: `P-${from + i}` }));
const payments = (from: number, count: number) => Array.from({ length: count }, (_, i) => samplePayment(from + i));

/** A Redis of its own: these tests empty it and stop it. */
async function privateRedis(): Promise<ServerProcess & { readonly folder: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-redis-'));
  return { ...(await startRedis({ command: findRedisServer()!, folder, password: 'test' })), folder };
}

const homes = [
  { home: 'PostgreSQL', usable: true, start: async () => undefined },
  { home: 'Redis', usable: hasRedis, start: privateRedis },
];

describe.each(homes)('the worker with its queues on $home', ({ usable, start }) => {
  let redis: Awaited<ReturnType<typeof privateRedis>> | undefined;
  let world: WorkerWorld;
  let app: NestFastifyApplication | undefined;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    if (usable) redis = await start();
  });
  afterAll(async () => {
    await redis?.stop();
    if (redis) rmSync(redis.folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    if (usable) world = await workerWorld(redis?.url);
  });
  afterEach(async () => {
    await app?.close();
    child?.kill('SIGKILL');
    app = child = undefined;
    await world?.close();
  });

  const startWorker = async () => {
    app = await createWorker(world.config, logger);
    await app.listen(0, '127.0.0.1');
  };
  const sealedSize = async () =>
    (await world.fresh.database.query<{ n: bigint }>('SELECT coalesce(max(last_seq), 0) AS n FROM shard_heads'))[0]!.n;

  it.runIf(usable)('takes up what was outstanding, matches it and seals its facts', async () => {
    await insertPayments(world.fresh.url, payments(1, 3));
    const id = await world.fileStatement(camt053(entries(1, 2)));
    await startWorker();
    expect(await world.closed(id)).toMatchObject({ state: 'BROKEN', counts: { MATCHED: 2, MISSING_THEIRS: 1 } });
    expect(await world.factKinds()).toEqual(['statement.received', 'reconciliation.broken']);
    expect(await sealedSize()).toBeGreaterThan(0n);
    await until(async () => existsSync(path.join(world.config.TALLYSTICK_HOME, 'log', 'checkpoint')) || undefined);
    await supertest(app!.getHttpServer()).get('/ready').expect(200);
    await supertest(app!.getHttpServer()).get('/health').expect(200);
    await supertest(app!.getHttpServer()).get('/metrics').expect(200);
  });

  it.runIf(usable)('forgets sessions of staff of long ago, but the last of each account', async () => {
    const { database } = world.fresh;
    await database.query(
      `WITH ada AS (INSERT INTO staff_accounts (id, name, role, password_hash, created_at)
                    VALUES (gen_random_uuid(), 'ada', 'risk', 'h', now() - interval '99 days') RETURNING id)
       INSERT INTO staff_sessions (id, account_id, token_digest, created_at, seen_at)
       SELECT gen_random_uuid(), id, sha256(days::text::bytea), now() - days * interval '1 day', now() - days * interval '1 day'
         FROM ada, unnest('{90,60,31}'::int[]) AS days`,
    );
    await startWorker();
    const left = () => database.query<{ days: number }>('SELECT extract(day FROM now() - created_at)::int AS days FROM staff_sessions');
    await expect.poll(left, { timeout: 50_000 }).toEqual([{ days: 31 }]);
  });

  it.runIf(usable)('two workers and repeated sweeps have one effect', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, (_, i) => world.fileStatement(camt053(entries(i * 10, 5), { id: `S-${i}` }))));
    const second = await createWorker(world.config, logger);
    await startWorker();
    const closed = await Promise.all(ids.map(world.closed));
    await second.close();
    expect(closed.map(({ counts }) => counts)).toEqual(ids.map(() => ({ MISSING_OURS: 5 })));
    expect((await world.factKinds()).sort()).toEqual([...ids.map(() => 'reconciliation.broken'), ...ids.map(() => 'statement.received')]);
  });

  it.runIf(usable && existsSync(WORKER))(
    'killed in the middle of a file loses nothing',
    async () => {
      const count = 8_000;
      await insertPayments(world.fresh.url, payments(1, count));
      const id = await world.fileStatement(camt053(entries(1, count)));
      const run = () => spawn(process.execPath, [WORKER], { env: { PATH: process.env['PATH'], ...world.env }, stdio: 'ignore' });
      child = run();
      // In the middle: some pages are kept, some are not.
      await until(async () => ((await world.store.find(id))!.progress.linesRead > 1_000 ? true : undefined));
      child.kill('SIGKILL');
      const left = (await world.store.find(id))!;
      expect(left.closedAt).toBeUndefined();
      child = run();
      expect(await world.closed(id)).toMatchObject({ state: 'BALANCED', counts: { MATCHED: count } });
      expect(await world.factKinds()).toEqual(['statement.received', 'reconciliation.balanced']);
      // A polite end: the process finishes by itself.
      const gone = new Promise((resolve) => child!.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
    180_000,
  );
});

describe.runIf(hasRedis)('when Redis forgets or falls away', () => {
  let redis: Awaited<ReturnType<typeof privateRedis>>;
  let world: WorkerWorld;
  let app: NestFastifyApplication;

  beforeEach(async () => {
    redis = await privateRedis();
    world = await workerWorld(redis.url);
    app = await createWorker(world.config, logger);
    await app.listen(0, '127.0.0.1');
  });
  afterEach(async () => {
    await app.close();
    await redis.stop();
    await world.close();
    rmSync(redis.folder, { recursive: true, force: true });
  });

  const lastBeat = async (task: string) =>
    (await world.fresh.database.query<{ at: Date }>('SELECT ran_at AS at FROM worker_beats WHERE task = $1', [task]))[0]?.at.getTime() ?? 0;

  it('FLUSHALL loses no job: the schedules come back and the sweep sends again', async () => {
    const client = new Redis(redis.url);
    for (let round = 0; round < 3; round++) {
      const id = await world.fileStatement(camt053(entries(round * 10, 3), { id: `S-${round}` }));
      await client.flushall();
      expect(await world.closed(id)).toMatchObject({ counts: { MISSING_OURS: 3 } });
    }
    await until(async () => ((await client.zcard('{bull}:seal:repeat')) > 0 ? true : undefined));
    client.disconnect();
  });

  it('a clock that is set back by an hour stops nothing', async () => {
    await until(async () => (await lastBeat('seal')) || undefined);
    await world.fresh.database.query(`UPDATE worker_beats SET ran_at = clock_timestamp() + interval '1 hour'`);
    const soon = Date.now() + 60_000;
    for (const task of ['seal', 'sweep', 'dispatch', 'shadow']) await until(async () => ((await lastBeat(task)) < soon ? true : undefined));
  });

  it('a schedule from before the clock was set back begins anew', async () => {
    const { hostname: host, port, password } = new URL(redis.url);
    const queue = new Queue('sweep', { connection: { host, port: Number(port), password }, prefix: '{set-back}' });
    const jobs = new JobSender(new Map([['sweep', queue]]), logger);
    await jobs.repeat('sweep', 1_000, 500);
    const client = new Redis(redis.url);
    await client.zadd('{set-back}:sweep:repeat', Date.now() + 3_600_000, 'sweep');
    await jobs.repeat('sweep', 1_000, 500);
    await until(async () => ((await queue.getJobScheduler('sweep'))!.next! < Date.now() + 60_000 ? true : undefined));
    expect((await queue.getJobScheduler('sweep'))!.next! % 1_000).toBe(500);
    await jobs.repeat('sweep', 1_000, 700);
    expect((await queue.getJobScheduler('sweep'))!.next! % 1_000).toBe(700);
    client.disconnect();
    await queue.close();
  });

  it('without Redis facts are still sealed, and the process ends in time', async () => {
    await until(async () => (await lastBeat('seal')) || undefined);
    await redis.stop();
    const id = await world.fileStatement(camt053(entries(1, 1)));
    const stopped = Date.now();
    await until(async () => ((await lastBeat('seal')) > stopped + 5_000 ? true : undefined));
    const sealed = await world.fresh.database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM facts f WHERE kind = 'statement.received' AND shard = $1`,
      [id.shard],
    );
    expect(sealed[0]!.n).toBe(1);
    await supertest(app.getHttpServer()).get('/ready').expect(200);
  });

  it('a Redis that evicts keys is refused in a sentence', async () => {
    const client = new Redis(redis.url);
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(createWorker(world.config, logger)).rejects.toThrow(
      /REDIS_URL: this Redis deletes keys .* set maxmemory-policy to noeviction/,
    );
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    client.disconnect();
  });
});

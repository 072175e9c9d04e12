// A worker of its own with PostgreSQL and, where the machine has one, Redis: what pushing events needs, and nothing beside it that costs.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createSigner,
  Database,
  DOOR_FLAGS,
  findRedisServer,
  freePort,
  migrate,
  parseConfig,
  SIGNER_NAMES,
  startPostgres,
  startRedis,
} from '#platform';
import { ensureDevelopmentPki } from '../../dist/certs/make-dev-pki.js';
import { cpuMs, serverCpuMs } from './world.mjs';

const READY_TIMEOUT_MS = 30_000;

export async function openEventsWorld() {
  const home = mkdtempSync(path.join(tmpdir(), 'tallystick-events-'));
  // The server's account must pass through it.
  chmodSync(home, 0o711);
  const postgres = await startPostgres({ folder: path.join(home, 'pg') });
  const command = findRedisServer();
  const redis = command && (await startRedis({ command, folder: path.join(home, 'redis'), password: randomBytes(16).toString('hex') }));
  await migrate(postgres.url);
  const port = await freePort();
  const env = {
    ...{ TALLYSTICK_ENV: 'test', TALLYSTICK_HOME: home, DATABASE_URL: postgres.url, LOG_LEVEL: 'warn', WORKER_PORT: String(port) },
    ...{ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128', WEBHOOK_CA_FILE: path.join(home, 'pki', 'server', 'ca.pem') },
    ...(redis ? { REDIS_URL: redis.url } : {}),
  };
  await ensureDevelopmentPki(path.join(home, 'pki'), new Date());
  const config = parseConfig(env);
  for (const name of SIGNER_NAMES) createSigner(config, name);
  const profile = process.env.BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`] : [];
  const args = [...DOOR_FLAGS, ...profile, 'dist/apps/worker/src/main.js'];
  const worker = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'inherit' });
  await ready(port);
  const database = await Database.open(postgres.url, 4);
  const [{ backend }] = await database.query('SELECT pg_backend_pid() AS backend');
  return {
    ...{ home, database },
    queues: redis ? 'Redis' : 'PostgreSQL',
    cpuMs: () => ({ worker: cpuMs(worker.pid), postgres: serverCpuMs(backend) }),
    async close() {
      await database.close();
      const gone = new Promise((resolve) => worker.once('exit', resolve));
      worker.kill('SIGTERM');
      await gone;
      await Promise.all([postgres.stop(), redis?.stop()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function ready(port) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > deadline) throw new Error('the worker did not become ready');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

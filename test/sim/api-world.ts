import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Database, freePort, migrate, type ServerProcess, startPostgres } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import type { Dice } from './dice.js';
import { CALLER, type Door, httpDoor } from './doors.js';
import { type LossyProxy, lossyProxy } from './lossy-proxy.js';
import { simPolicy } from './sim-policy.js';

const ISSUER = 'sim-issuer';
const tokenUsedMs = 5 * 60_000;
const readyTries = 100;
const startTries = 10;

/** decision-api as several processes on a PostgreSQL of their own. All that is said passes a proxy that can lose the answer. */
export interface ApiWorld {
  /** Straight to the database, past the proxy. */
  readonly database: Database;
  readonly apis: readonly Api[];
  readonly doors: readonly Door[];
  readonly proxies: readonly LossyProxy[];
  /** SIGKILL to PostgreSQL, and up again on the same data and port. */
  crashPostgres(): Promise<void>;
  close(): Promise<void>;
}

export interface Api {
  /** SIGKILL, and up again on the same port. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export async function openApiWorld(processes: number, dice: Dice): Promise<ApiWorld> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-sim-'));
  chmodSync(folder, 0o711);
  const port = await freePort();
  const servePostgres = () => startPostgres({ folder: path.join(folder, 'pg'), port });
  let postgres: ServerProcess = await servePostgres();
  await migrate(postgres.url);
  const database = await Database.open(postgres.url, 4);
  await new PgPolicies(database).activate(simPolicy(), { author: 'ann', approver: 'ben' }, new Date());
  const token = await makeIssuer(folder);
  const toPostgres = await lossyProxy(port, dice);
  const url = new URL(postgres.url);
  url.port = String(toPostgres.port);
  const started = await Promise.all(
    Array.from({ length: processes }, async () => {
      const http = await freePort();
      const api = await startApi(folder, url.href, http);
      return { api, proxy: await lossyProxy(http, dice) };
    }),
  );
  const proxies = [toPostgres, ...started.map(({ proxy }) => proxy)];
  return {
    database,
    apis: started.map(({ api }) => api),
    doors: started.map(({ proxy }) => httpDoor(proxy.port, token)),
    proxies,
    crashPostgres: async () => {
      process.kill(postgres.pid, 'SIGKILL');
      await postgres.exited;
      postgres = await servePostgres();
    },
    close: async () => {
      await Promise.all(started.map(({ api }) => api.stop()));
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await database.close();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startApi(folder: string, url: string, http: number): Promise<Api> {
  const env = {
    ...{ PATH: process.env['PATH'], NODE_ENV: 'production', TALLYSTICK_ENV: 'test', TALLYSTICK_HOME: folder, LOG_LEVEL: 'silent' },
    ...{ DATABASE_URL: url, DECISION_HTTP_PORT: String(http), DECISION_GRPC_PORT: String(await freePort()), INTERNAL_TOKEN_ISSUER: ISSUER },
  };
  const start = async () => {
    // A process whose first words with PostgreSQL are lost ends; its supervisor starts it again.
    for (let tries = 0; tries < startTries; tries++) {
      const child = spawn(process.execPath, ['dist/apps/decision-api/src/main.js'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      if (await isReady(child, http)) return { child, exited };
      child.kill('SIGKILL');
      await exited;
    }
    throw new Error('decision-api did not start; was it built? (npm run build)');
  };
  let running = await start();
  const end = async (signal: NodeJS.Signals) => {
    running.child.kill(signal);
    await running.exited;
  };
  return {
    crash: async () => {
      await end('SIGKILL');
      running = await start();
    },
    stop: () => end('SIGTERM'),
  };
}

async function isReady(child: ChildProcess, http: number): Promise<boolean> {
  for (let tries = 0; tries < readyTries && child.exitCode === null; tries++) {
    const ready = await fetch(`http://127.0.0.1:${http}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ready) return true;
    await delay(100);
  }
  return false;
}

/** Writes the public key where decision-api looks for it. @returns tokens that are good for a while longer than they are used */
async function makeIssuer(folder: string): Promise<() => Promise<string>> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'sim', alg: 'EdDSA' }];
  mkdirSync(path.join(folder, 'keys'));
  writeFileSync(path.join(folder, 'keys', 'internal-issuer.jwks.json'), JSON.stringify({ keys }));
  let minted = { at: -Infinity, token: '' };
  return async () => {
    if (Date.now() - minted.at > tokenUsedMs) {
      const token = await new SignJWT({ scope: 'decisions:reserve' })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'sim' })
        .setIssuer(ISSUER)
        .setSubject(CALLER)
        .setAudience('tallystick-decision-api')
        .setIssuedAt()
        .setExpirationTime('14m')
        .sign(privateKey);
      minted = { at: Date.now(), token };
    }
    return minted.token;
  };
}

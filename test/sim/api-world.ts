import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  createSigner,
  Database,
  findRedisServer,
  freePort,
  migrate,
  parseConfig,
  SIGNER_NAMES,
  startPostgres,
  startRedis,
} from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import type { Dice } from './dice.js';
import { CALLER, type Door, httpDoor } from './doors.js';
import { grpcDoor } from './grpc-door.js';
import { type LossyProxy, lossyProxy } from './lossy-proxy.js';
import { Mortal } from './mortal.js';
import { simPolicy } from './sim-policy.js';

const ISSUER = 'sim-issuer';
const tokenUsedMs = 5 * 60_000;

/** decision-api as several processes, and a worker, on a PostgreSQL and a Redis of their own. All that is said passes proxies that can lose the answer. */
export interface ApiWorld {
  /** Straight to the database, past the proxy. */
  readonly database: Database;
  readonly apis: readonly Mortal[];
  /** Over HTTP and over gRPC to each. */
  readonly doors: readonly Door[];
  readonly proxies: readonly LossyProxy[];
  /** SIGKILL, and up again on the same data and port. */
  crashPostgres(): Promise<void>;
  /** The same; nothing where the machine has no Redis and the queues are on PostgreSQL. */
  crashRedis(): Promise<void>;
  close(): Promise<void>;
}

/** What has been opened so far, closed in the opposite order: also when the next thing does not open. */
class Opened {
  private readonly closers: (() => unknown)[] = [];

  add<T>(thing: T, close: (thing: T) => unknown): T {
    this.closers.push(() => close(thing));
    return thing;
  }

  async close(): Promise<void> {
    for (const close of this.closers.splice(0).reverse()) await close();
  }
}

export async function openApiWorld(processes: number, dice: Dice): Promise<ApiWorld> {
  const opened = new Opened();
  try {
    return await open(opened, processes, dice);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function open(opened: Opened, processes: number, dice: Dice): Promise<ApiWorld> {
  const folder = opened.add(mkdtempSync(path.join(tmpdir(), 'tallystick-sim-')), (name) => rmSync(name, { recursive: true, force: true }));
  chmodSync(folder, 0o711);
  const postgresPort = await freePort();
  const postgres = await openServer(opened, () => startPostgres({ folder: path.join(folder, 'pg'), port: postgresPort }));
  const redis = await openRedis(opened, folder);
  await migrate(postgres.url);
  const database = opened.add(await Database.open(postgres.url, 6), (pool) => pool.close());
  await new PgPolicies(database).activate(simPolicy(), { author: 'ann', approver: 'ben' }, new Date());
  const token = await makeIssuer(folder);
  const proxies: LossyProxy[] = [];
  const proxyTo = async (port: number) => {
    const proxy = opened.add(await lossyProxy(port, dice), (one) => one.close());
    proxies.push(proxy);
    return proxy.port;
  };
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    TALLYSTICK_ENV: 'test',
    TALLYSTICK_HOME: folder,
    LOG_LEVEL: 'silent',
    DATABASE_URL: through(postgres.url, await proxyTo(postgresPort)),
    INTERNAL_TOKEN_ISSUER: ISSUER,
  };
  for (const name of SIGNER_NAMES) if (name !== 'internal-issuer') createSigner(parseConfig(env), name);
  const apis: Mortal[] = [];
  const doors: Door[] = [];
  for (let i = 0; i < processes; i++) {
    const [http, grpc] = [await freePort(), await freePort()];
    const ports = { DECISION_HTTP_PORT: String(http), DECISION_GRPC_PORT: String(grpc) };
    apis.push(opened.add(await Mortal.start('decision-api', { ...env, ...ports }, http), (api) => api.end()));
    const overGrpc = opened.add(grpcDoor(await proxyTo(grpc), token), (door) => door.close());
    doors.push(httpDoor(await proxyTo(http), token), overGrpc);
  }
  const workerPort = await freePort();
  const queues = redis ? { REDIS_URL: through(redis.url, await proxyTo(Number(new URL(redis.url).port))) } : {};
  opened.add(await Mortal.start('worker', { ...env, ...queues, WORKER_PORT: String(workerPort) }, workerPort), (worker) => worker.end());
  return {
    database,
    apis,
    doors,
    proxies,
    crashPostgres: () => postgres.crash(),
    crashRedis: async () => await redis?.crash(),
    close: () => opened.close(),
  };
}

interface CrashingServer {
  readonly url: string;
  crash(): Promise<void>;
}

async function openServer(opened: Opened, serve: () => ReturnType<typeof startPostgres>): Promise<CrashingServer> {
  let server = await serve();
  opened.add(undefined, () => server.stop());
  return {
    url: server.url,
    crash: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
      server = await serve();
    },
  };
}

async function openRedis(opened: Opened, folder: string): Promise<CrashingServer | undefined> {
  const command = findRedisServer();
  if (command === undefined) return undefined;
  const [port, password] = [await freePort(), randomBytes(16).toString('hex')];
  return await openServer(opened, () => startRedis({ command, folder: path.join(folder, 'redis'), port, password }));
}

function through(url: string, port: number): string {
  const other = new URL(url);
  other.port = String(port);
  return other.href;
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

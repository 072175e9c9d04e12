import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { parsePublicJwk } from '#evidence';
import { systemClock } from '#kernel';
import { ParticipantRegistry, Participants } from '#partners';
import { PrismaParticipantStore } from '#partners/adapters/prisma-participant-store';
import {
  type Config,
  createSigner,
  Database,
  findRedisServer,
  freePort,
  migrate,
  parseConfig,
  type ServerProcess,
  SIGNER_NAMES,
  startPostgres,
  startRedis,
} from '#platform';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import { PrismaService } from '#platform/adapters/prisma.module';
import { BankClient, GatewayClient, type GatewayClientOptions } from '#sdk';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { readToyBank, type ToyBankFiles } from '../../apps/cli/src/seed/toy-banks.js';
import { ensureDevelopmentPki } from '../../certs/make-dev-pki.js';

const BANKS = [
  { id: 'bank-a', authority: 'development-ec' },
  { id: 'bank-b', authority: 'development-rsa' },
] as const;
const restartAfterMs = 100;
const redisPassword = 'kill-world';

export const mainOf = (app: 'gateway' | 'worker'): string => `dist/apps/${app}/src/main.js`;

/** A gateway and a worker as processes on a PostgreSQL and a Redis of their own, each of which may be killed at any time and comes back. */
export interface KillWorld {
  readonly home: string;
  readonly config: Config;
  readonly database: Database;
  readonly bankA: ToyBankFiles & { readonly client: BankClient; readonly gateway: GatewayClient };
  readonly bankB: ToyBankFiles & { readonly client: BankClient; readonly gateway: GatewayClient };
  readonly gateway: Mortal;
  readonly worker: Mortal;
  killPostgres(): Promise<void>;
  emptyRedis(): Promise<void>;
  /** The app ends itself by SIGKILL as soon as it passes `point` for the nth time after its next start. */
  arm(app: 'gateway' | 'worker', point: string, nth: number): void;
  close(): Promise<void>;
}

/** A process that is started again whenever it ends. */
class Mortal {
  deaths = 0;
  private child: ChildProcess | undefined;
  private stopped = false;

  constructor(
    private readonly main: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {
    this.start();
  }

  kill(): void {
    this.child?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.stopped = true;
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  private start(): void {
    this.child = spawn(process.execPath, [this.main], { env: this.env, stdio: 'ignore' });
    this.child.once('exit', () => {
      this.deaths++;
      void delay(restartAfterMs).then(() => this.stopped || this.start());
    });
  }
}

export async function openKillWorld(): Promise<KillWorld> {
  const home = mkdtempSync(path.join(tmpdir(), 'tallystick-kill-'));
  // The account of the database server must pass through it.
  chmodSync(home, 0o711);
  const pg = path.join(home, 'pg');
  const servers: { postgres: ServerProcess; redis: ServerProcess } = {
    postgres: await startPostgres({ folder: pg }),
    redis: await startRedis({ command: findRedisServer()!, folder: path.join(home, 'redis'), password: redisPassword }),
  };
  const { url } = servers.postgres;
  const settings = await settle(home, url, servers.redis.url);
  const config = parseConfig(settings);
  await Promise.all([migrate(url), ensureDevelopmentPki(path.join(home, 'pki'), new Date())]);
  for (const name of SIGNER_NAMES) createSigner(config, name);
  const database = await Database.open(url);
  await enrolBanks(home, database);
  const env = { PATH: process.env['PATH'], ...settings };
  const [gateway, worker] = [new Mortal(mainOf('gateway'), env), new Mortal(mainOf('worker'), env)];
  const [bankA, bankB] = BANKS.map((bank) => openBank(home, config.GATEWAY_ORIGIN, bank)) as [KillWorld['bankA'], KillWorld['bankB']];
  return {
    home,
    config,
    database,
    bankA,
    bankB,
    gateway,
    worker,
    async killPostgres() {
      process.kill(servers.postgres.pid, 'SIGKILL');
      await servers.postgres.exited;
      servers.postgres = await startPostgres({ folder: pg, port: Number(new URL(url).port) });
    },
    async emptyRedis() {
      const redis = new Redis(servers.redis.url);
      await redis.flushall();
      redis.disconnect();
    },
    arm(app, point, nth) {
      mkdirSync(path.join(home, 'crash'), { recursive: true });
      writeFileSync(path.join(home, 'crash', app), `${point} ${nth}\n`);
    },
    async close() {
      await Promise.all([gateway.stop(), worker.stop()]);
      await Promise.all([bankA, bankB].flatMap((bank) => [bank.client.close(), bank.gateway.close()]));
      await database.close();
      await Promise.all([servers.postgres.stop(), servers.redis.stop()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function settle(home: string, databaseUrl: string, redisUrl: string): Promise<Record<string, string>> {
  const [gatewayPort, workerPort] = [await freePort(), await freePort()];
  return {
    TALLYSTICK_ENV: 'test',
    TALLYSTICK_HOME: home,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    LOG_LEVEL: 'silent',
    GATEWAY_ORIGIN: `https://localhost:${gatewayPort}`,
    GATEWAY_PORT: String(gatewayPort),
    WORKER_PORT: String(workerPort),
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
    WEBHOOK_CA_FILE: path.join(home, 'pki/server/ca.pem'),
    WEBHOOK_TIMEOUT_MS: '2000',
  };
}

async function enrolBanks(home: string, database: Database): Promise<void> {
  const prisma = new PrismaService(database);
  const store = new PrismaParticipantStore(prisma, tellParticipants);
  const participants = new Participants(store, new ParticipantRegistry(store, systemClock), systemClock);
  for (const { id, authority } of BANKS) {
    const files = readToyBank(path.join(home, 'pki'), { id, authority });
    const certificate = readIssuedCertificate(files.cert, files.authority);
    await participants.enrol({ id, name: id, certificate, keys: files.jwks.keys.map(parsePublicJwk) });
    await participants.activate(id, 'test');
  }
  await prisma.$disconnect();
}

function openBank(home: string, origin: string, bank: (typeof BANKS)[number]): KillWorld['bankA'] {
  const files = readToyBank(path.join(home, 'pki'), bank);
  const ca = readFileSync(path.join(home, 'pki/server/ca.pem'), 'utf8');
  const options: GatewayClientOptions = { origin, ca, cert: files.cert, key: files.key, signingKey: files.signingKey };
  return { ...files, client: new BankClient(options), gateway: new GatewayClient(options) };
}

import { type BackendFactory, createPostgresBackend, createRedisBackend, runMigrations, setDefaultBackendFactory } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type Config, ConfigError } from './config.js';

export const QUEUES = ['seal', 'sweep', 'reconcile', 'export', 'batch', 'shadow', 'backtest', 'dispatch', 'deliver', 'probe'] as const;
export type QueueName = (typeof QUEUES)[number];

/** Hash-tagged, so that every key of the queues lands on one slot of a Redis Cluster. */
const queuePrefix = '{bull}';

/** Where the queues live: the options that every BullMQ class of this process gets. */
export interface QueueHome {
  readonly kind: 'redis' | 'postgresql';
  readonly connection: object;
  readonly prefix: string;
}

/** The schema that migration 20261121000800 makes for BullMQ. It holds job ids and schedules only. */
const QUEUE_SCHEMA = 'bullmq';
const QUEUE_CONNECTIONS_MAX = 4;
const REDIS_CONNECT_TIMEOUT_MS = 2_000;
/** Longer than BullMQ's longest blocking command (10 s). */
const REDIS_COMMAND_TIMEOUT_MS = 15_000;

/**
 * `REDIS_URL`, or else the database. Refuses to start on a Redis that may evict keys. A Redis that cannot be reached now is no reason
 * not to start: queues wait for it, and what must go on without them does (`apps/worker`).
 */
export async function openQueueHome(config: Config): Promise<QueueHome> {
  chooseBackendByConnection();
  if (config.REDIS_URL !== undefined) {
    await refuseEvictingRedis(config.REDIS_URL);
    return { kind: 'redis', connection: redisConnection(config.REDIS_URL), prefix: queuePrefix };
  }
  if (config.DATABASE_URL === undefined) throw new ConfigError('queues need REDIS_URL or DATABASE_URL');
  await migrateQueueSchema(config.DATABASE_URL);
  const connection = { ...queueConnection(config.DATABASE_URL), schema: QUEUE_SCHEMA, max: QUEUE_CONNECTIONS_MAX };
  return { kind: 'postgresql', connection, prefix: queuePrefix };
}

/** One default for both: a connection that names a schema is PostgreSQL's. (Nest passes a worker no backend of its own.) */
function chooseBackendByConnection(): void {
  const choose = (name: string, options: { connection?: object }, more?: object) => {
    const factory = (options.connection && 'schema' in options.connection ? createPostgresBackend : createRedisBackend) as BackendFactory;
    return factory(name, options as Parameters<BackendFactory>[1], more);
  };
  setDefaultBackendFactory(choose as BackendFactory);
}

function redisConnection(url: string): object {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
    // BullMQ's own demand on workers: a blocked command waits for Redis to return instead of failing.
    maxRetriesPerRequest: null,
    // A command whose reply was lost may have had its effect: it is not sent again. The client forgets it without a word; the limit tells its sender.
    autoResendUnfulfilledCommands: false,
    commandTimeout: REDIS_COMMAND_TIMEOUT_MS,
  };
}

async function refuseEvictingRedis(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: REDIS_CONNECT_TIMEOUT_MS, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1];
    if (policy !== undefined && policy !== 'noeviction') {
      throw new ConfigError(
        `REDIS_URL: this Redis deletes keys when it is full (maxmemory-policy ${policy}), and queued jobs with them; set maxmemory-policy to noeviction`,
      );
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
  } finally {
    redis.disconnect();
  }
}

function queueConnection(url: string): pg.ClientConfig {
  return { connectionString: url, options: '-c role=tallystick_app' };
}

/** BullMQ's own migrations, as the applications' role. It owns the schema but may not make one, so that first statement is left out. */
async function migrateQueueSchema(url: string): Promise<void> {
  const client = new pg.Client(queueConnection(url));
  await client.connect();
  try {
    const filling = {
      query: (sql: string, params?: unknown[]) =>
        sql.startsWith('CREATE SCHEMA') ? Promise.resolve({ rows: [] }) : client.query(sql, params),
    };
    await runMigrations(filling as unknown as Parameters<typeof runMigrations>[0], QUEUE_SCHEMA);
  } finally {
    await client.end();
  }
}

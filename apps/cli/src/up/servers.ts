import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { findRedisServer, freePort, portAnswers, portIsFree, type ServerProcess, startPostgres, startRedis } from '#platform';
import { type Environment, OWN, postgresFolder } from './installation.js';
import type { RotatingLog } from './rotating-log.js';

/** How an installation gets one of its servers. */
export interface ServerChoice {
  /** Which one, and why: a line for the screen. */
  readonly line: string;
  /** What the processes need to know of it. */
  readonly environment: Environment;
  /** Absent: somebody else runs it. */
  readonly start?: (log: RotatingLog) => Promise<ServerProcess>;
}

/** `DATABASE_URL`, else PostgreSQL 18 from npm. */
export async function choosePostgres(home: string, settled: Environment, last: Environment = {}): Promise<ServerChoice> {
  const given = settled['DATABASE_URL'];
  if (given) return { line: `PostgreSQL at ${hostOf(given)} (DATABASE_URL)`, environment: { DATABASE_URL: given } };
  const folder = postgresFolder(home, last);
  const port = await portOf(last['DATABASE_URL']);
  return {
    line: `PostgreSQL 18 from npm on port ${port} (DATABASE_URL is not set), data in ${folder}`,
    environment: { [OWN.postgresFolder]: folder },
    start: (log) => startPostgres({ folder, port, onOutput: (chunk) => log.write(chunk) }),
  };
}

/** `REDIS_URL`, else a Redis or Valkey of this machine, else none: the queues then run on PostgreSQL. */
export async function chooseRedis(
  home: string,
  settled: Environment,
  shell: NodeJS.ProcessEnv,
  last: Environment = {},
): Promise<ServerChoice> {
  const given = settled['REDIS_URL'];
  if (given) {
    const { hostname, port } = new URL(given);
    if (!(await portAnswers(Number(port || 6379), hostname)))
      throw new Error(`nothing answers at ${hostOf(given)}: start that Redis, or unset REDIS_URL`);
    return { line: `queues on the Redis at ${hostOf(given)} (REDIS_URL)`, environment: { REDIS_URL: given } };
  }
  if (shell['REDIS_URL'] === '') return { line: 'queues on PostgreSQL (REDIS_URL is empty)', environment: {} };
  const command = findRedisServer(shell['PATH']);
  if (!command) {
    return { line: 'queues on PostgreSQL (REDIS_URL is not set, and no redis-server or valkey-server is on PATH)', environment: {} };
  }
  const port = await portOf(last[OWN.redisCommand] && last['REDIS_URL']);
  const password = randomBytes(24).toString('hex');
  return {
    line: `queues on ${path.basename(command)} from PATH, port ${port} (REDIS_URL is not set)`,
    environment: { [OWN.redisCommand]: command, REDIS_URL: `redis://:${password}@127.0.0.1:${port}` },
    start: (log) => startRedis({ command, folder: path.join(home, 'redis'), port, password, onOutput: (chunk) => log.write(chunk) }),
  };
}

/** The last port again where it is still free, so that an open psql finds its server after a restart. */
async function portOf(lastUrl: string | undefined): Promise<number> {
  const last = lastUrl ? Number(new URL(lastUrl).port) : 0;
  return last && (await portIsFree(last)) ? last : freePort();
}

function hostOf(url: string): string {
  return new URL(url).host || 'this machine';
}

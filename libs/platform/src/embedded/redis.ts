import { accessSync, constants, mkdirSync } from 'node:fs';
import path from 'node:path';
import { endLeftover } from './leftover.js';
import { freePort, LOOPBACK } from './ports.js';
import { type ServerProcess, startServer } from './server-process.js';

const SERVERS = ['redis-server', 'valkey-server'];

/** The path of a redis-server or valkey-server of this machine, if it has one. */
export function findRedisServer(searchPath = process.env.PATH ?? ''): string | undefined {
  const folders = searchPath.split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return SERVERS.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isExecutable);
}

/** Starts a Redis for queues: on loopback, everything appended to disk, and never evicting a key. */
export async function startRedis(options: {
  readonly command: string;
  readonly folder: string;
  readonly port?: number;
  readonly password: string;
  readonly onOutput?: (chunk: string) => void;
}): Promise<ServerProcess> {
  const folder = path.resolve(options.folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await endRedisLeftover(folder);
  const port = options.port ?? (await freePort());
  const settings: Record<string, string> = {
    bind: LOOPBACK,
    port: String(port),
    dir: folder,
    pidfile: path.join(folder, 'redis.pid'),
    requirepass: options.password,
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return await startServer({
    command: options.command,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    cwd: folder,
    runAs: {},
    readyLine: 'eady to accept connections',
    stopSignal: 'SIGTERM',
    url: `redis://:${options.password}@${LOOPBACK}:${port}`,
    onOutput: options.onOutput ?? (() => undefined),
  });
}

/** Ends a server on this folder whose supervisor was killed. @returns whether there was one */
export function endRedisLeftover(folder: string): Promise<boolean> {
  return endLeftover(path.join(path.resolve(folder), 'redis.pid'), path.resolve(folder), 'SIGTERM');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

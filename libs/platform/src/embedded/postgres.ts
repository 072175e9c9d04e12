import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';
import { postgresBinaries, type RunAs, serverAccount } from './binaries.js';
import { freePort, LOOPBACK } from './ports.js';
import { endLeftover } from './leftover.js';
import { type ServerProcess, startServer } from './server-process.js';

export interface PostgresOptions {
  /** A folder only for this: cluster, password and, if need be, a copy of the binaries. Its parents must be open to the server's account. */
  readonly folder: string;
  /** Absent: a free one. */
  readonly port?: number;
  /** Settings (`postgresql.conf` names) on top of ours. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly onOutput?: (chunk: string) => void;
}

/**
 * Loopback TCP with a password is the only way in; no socket file that another local user could open. More memory and rarer checkpoints than
 * PostgreSQL's defaults: every first change of a page after a checkpoint writes the whole page (measured 2026-11-22: with these a decision
 * costs 5 to 10 % less). How much memory: see `sharedBuffersMiB`. New files of the log are not written full of zeros first: until the first
 * checkpoint gives some back, every 16 MiB would be written twice, by whoever commits (a twentieth of all decisions; durability is the same).
 */
const SETTINGS = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  max_connections: '100',
  max_wal_size: '4GB',
  wal_init_zero: 'off',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_min_messages: 'warning',
} as const;

const MIB = 2 ** 20;
const BUFFERS_MIB_MIN = 128;
const BUFFERS_MIB_MAX = 1_024;

/**
 * An eighth of the memory that this process may use, within bounds. With 256 MiB a decision cost a fifth more after half a million of them, as
 * its pages no longer fitted; with 1 GiB it does not (2026-11-22). Memory is taken when pages come to be used.
 */
function sharedBuffersMiB(): number {
  const limit = process.constrainedMemory();
  const bytes = limit > 0 ? Math.min(totalmem(), limit) : totalmem();
  return Math.min(BUFFERS_MIB_MAX, Math.max(BUFFERS_MIB_MIN, Math.floor(bytes / MIB / 8)));
}

const SUPERUSER = 'postgres';

/** Starts PostgreSQL 18 from npm on `folder`, which is made on first use. The superuser's random password stays in the folder. */
export async function startPostgres(options: PostgresOptions): Promise<ServerProcess> {
  const folder = path.resolve(options.folder);
  const runAs = serverAccount();
  makePrivate(folder, runAs);
  const binaries = postgresBinaries(folder, runAs);
  const cluster = path.join(folder, 'cluster');
  if (!existsSync(path.join(folder, 'initialised'))) initialise(binaries, folder, cluster, runAs);
  await endPostgresLeftover(folder);
  const port = options.port ?? (await freePort());
  const settings: Record<string, string> = {
    ...{ ...SETTINGS, shared_buffers: `${sharedBuffersMiB()}MB`, ...options.settings },
    port: String(port),
  };
  return await startServer({
    command: path.join(binaries, 'bin', 'postgres'),
    args: ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    cwd: cluster,
    runAs,
    readyLine: 'database system is ready to accept connections',
    stopSignal: 'SIGINT',
    url: `postgresql://${SUPERUSER}:${readFileSync(path.join(folder, 'password'), 'utf8')}@${LOOPBACK}:${port}/postgres`,
    onOutput: options.onOutput ?? (() => undefined),
  });
}

/** Ends a server on this folder whose supervisor was killed. @returns whether there was one */
export function endPostgresLeftover(folder: string): Promise<boolean> {
  const cluster = path.join(path.resolve(folder), 'cluster');
  return endLeftover(path.join(cluster, 'postmaster.pid'), cluster, 'SIGINT');
}

function makePrivate(folder: string, runAs: RunAs): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (runAs.uid !== undefined) chownSync(folder, runAs.uid, runAs.gid);
}

function initialise(binaries: string, folder: string, cluster: string, runAs: RunAs): void {
  // A start that was cut short leaves half a cluster and no mark.
  rmSync(cluster, { recursive: true, force: true });
  const password = path.join(folder, 'password');
  writeFileSync(password, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (runAs.uid !== undefined) chownSync(password, runAs.uid, runAs.gid);
  const options = ['--auth=scram-sha-256', `--pwfile=${password}`, '--encoding=UTF8', '--locale-provider=builtin', '--locale=C.UTF-8'];
  const made = spawnSync(path.join(binaries, 'bin', 'initdb'), ['-D', cluster, '-U', SUPERUSER, ...options], {
    ...runAs,
    cwd: folder,
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`PostgreSQL could not be set up in ${folder}: ${made.error?.message ?? made.stderr.trim()}`);
  writeFileSync(path.join(folder, 'initialised'), '');
}

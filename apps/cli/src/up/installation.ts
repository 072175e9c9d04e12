import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, parseConfig, pkiFolder, portIsFree, SETTINGS } from '#platform';

/** The environment of an installation's processes, kept in `env.json`. Names beyond `SETTINGS` are those of `Own`. */
export type Environment = Readonly<Record<string, string>>;

/** What `up` remembers for itself beside the settings. */
export const OWN = {
  /** Where the embedded PostgreSQL keeps everything. Absent: DATABASE_URL is somebody else's. */
  postgresFolder: 'TALLYSTICK_POSTGRES_FOLDER',
  /** Present: REDIS_URL is a server that we start ourselves. */
  redisCommand: 'TALLYSTICK_REDIS_COMMAND',
  /** Who may change the schema of the embedded database. The doors do not get this. */
  ownerUrl: 'TALLYSTICK_OWNER_URL',
} as const;

type Shell = Readonly<Record<string, string | undefined>>;

/** Opens, or makes, the folder that holds everything of an installation: for the owner's eyes only. */
export function openHome(shell: Shell): string {
  const home = path.resolve(shell['TALLYSTICK_HOME'] ?? '.tallystick');
  try {
    mkdirSync(path.join(home, 'logs'), { recursive: true, mode: 0o700 });
    chmodSync(home, 0o700);
  } catch (error) {
    throw new Error(`cannot use ${home} (${(error as Error).message}): name another folder with TALLYSTICK_HOME`);
  }
  return home;
}

export function readEnvironment(home: string): Environment | undefined {
  const file = path.join(home, 'env.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Environment) : undefined;
}

/** It holds the database's password: whole or not at all, and readable by the owner only. */
export function writeEnvironment(home: string, environment: Environment): void {
  writeWhole(path.join(home, 'env.json'), `${JSON.stringify(environment, null, 2)}\n`);
}

/** For the owner's eyes, and whole at every moment: whoever reads meanwhile sees the old text or the new one. */
export function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Doors that tell others their origin, which follows their port where nobody says otherwise. */
const PARTNERS_DOORS = { GATEWAY: '7443', ENROLMENT: '7444' };

/**
 * Settles every setting: the shell's value, else the one of the last `up`, else the default.
 * DATABASE_URL and REDIS_URL are left out where we start the server ourselves. An empty REDIS_URL in the shell means: none.
 */
export function settle(home: string, shell: Shell, last: Environment = {}): Environment {
  const chosen: Record<string, string | undefined> = {};
  for (const name of Object.keys(SETTINGS)) chosen[name] = shell[name] ?? last[name];
  chosen['TALLYSTICK_HOME'] = home;
  if (!shell['DATABASE_URL'] && last[OWN.postgresFolder]) chosen['DATABASE_URL'] = undefined;
  if (shell['REDIS_URL'] === undefined && last[OWN.redisCommand]) chosen['REDIS_URL'] = undefined;
  for (const [door, port] of Object.entries(PARTNERS_DOORS)) {
    const [portName, originName] = [`${door}_PORT`, `${door}_ORIGIN`];
    chosen[portName] ||= port;
    if (shell[originName] || (!shell[portName] && last[originName])) continue;
    chosen[originName] = `https://localhost:${chosen[portName]}`;
  }
  allowToyReceivers(home, chosen);
  if (chosen['TALLYSTICK_ENV'] === 'production') {
    throw new Error('"up" makes development keys: in production start each process under your own service manager');
  }
  const config = parseConfig(chosen);
  const settled = Object.entries(config).filter(([, value]) => value !== undefined);
  return Object.fromEntries(settled.map(([name, value]) => [name, String(value)]));
}

/** Toy banks stand on this machine, certified by the development authority. */
function allowToyReceivers(home: string, chosen: Record<string, string | undefined>): void {
  chosen['WEBHOOK_ALLOWED_NETWORKS'] ??= '127.0.0.0/8,::1/128';
  chosen['WEBHOOK_CA_FILE'] ??= path.join(pkiFolder({ TALLYSTICK_HOME: home, PKI_DIR: chosen['PKI_DIR'] }), 'server', 'ca.pem');
}

/** What a door is started with: the settings, and nothing of what only `up` needs. */
export function forDoors(environment: Environment): Environment {
  const hidden: string[] = Object.values(OWN);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.includes(name)));
}

export const PORTS = ['GATEWAY_PORT', 'ENROLMENT_PORT', 'DECISION_HTTP_PORT', 'DECISION_GRPC_PORT', 'CONSOLE_PORT', 'WORKER_PORT'] as const;

/** Rejects with a sentence when a door could not listen, or two doors share a port. */
export async function refuseBusyPorts(environment: Environment): Promise<void> {
  const twins = PORTS.filter((name) => PORTS.some((other) => other !== name && environment[other] === environment[name]));
  if (twins.length > 0) throw new Error(`${twins.join(' and ')} are both ${environment[twins[0]!]!}: give each its own`);
  const free = await Promise.all(PORTS.map((name) => portIsFree(Number(environment[name]), environment['BIND_HOST'])));
  const busy = PORTS.filter((_name, i) => !free[i]);
  if (busy.length === 0) return;
  const others = await Promise.all(busy.map(async (name) => `${name}=${await freePort()}`));
  const taken = busy.map((name) => `${name} ${environment[name]}`).join(', ');
  throw new Error(`another program listens on ${taken}: stop it, or choose other ports, e.g.\n  ${others.join(' ')} npm run up`);
}

/**
 * A folder for the embedded PostgreSQL. Root's server runs as another account, which cannot enter root's private folder:
 * then it lives under /var/lib, where only root could have put anything.
 */
export function postgresFolder(home: string, last: Environment = {}): string {
  const known = last[OWN.postgresFolder];
  if (known) return known;
  if (process.getuid?.() !== 0) return path.join(home, 'postgres');
  mkdirSync('/var/lib/tallystick', { recursive: true, mode: 0o711 });
  return mkdtempSync('/var/lib/tallystick/postgres-');
}

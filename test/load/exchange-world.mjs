// A whole installation of its own, started as a user would, with subjects that bank A is linked to.
import { spawnSync } from 'node:child_process';
import { createPrivateKey, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { systemClock } from '#kernel';
import { Database, freePort } from '#platform';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';

const PORTS = ['GATEWAY_PORT', 'ENROLMENT_PORT', 'DECISION_HTTP_PORT', 'DECISION_GRPC_PORT', 'CONSOLE_PORT', 'WORKER_PORT'];
const SUBJECTS = 4_000;

export async function openExchangeWorld() {
  const home = path.join(mkdtempSync(path.join(tmpdir(), 'tallystick-exchange-')), 'home');
  const ports = {};
  for (const name of PORTS) ports[name] = String(await freePort());
  const origin = `https://localhost:${ports.GATEWAY_PORT}`;
  const env = { ...process.env, ...ports, TALLYSTICK_HOME: home, GATEWAY_ORIGIN: origin, TALLYSTICK_ENV: 'test', LOG_LEVEL: 'warn' };
  const command = (...args) => spawnSync(process.execPath, ['apps/cli/bootstrap.mjs', ...args], { env, encoding: 'utf8' });
  const up = command('up');
  if (up.status !== 0) throw new Error(up.stdout + up.stderr);
  const settings = JSON.parse(readFileSync(path.join(home, 'env.json'), 'utf8'));
  const database = await Database.open(settings.DATABASE_URL, 8);
  const server = await postmaster(database);
  const redis = redisOf(settings.REDIS_URL);
  const read = (name) => readFileSync(path.join(home, 'pki', name), 'utf8');
  const jwk = JSON.parse(read('clients/bank-a/signing-key.jwk.json'));
  return {
    ...{ server, home, origin, database, command, port: Number(ports.GATEWAY_PORT) },
    tls: { ca: read('server/ca.pem'), cert: read('clients/bank-a/cert.pem'), key: read('clients/bank-a/key.pem') },
    signingKey: { kid: jwk.kid, alg: jwk.alg, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) },
    refs: await linkSubjects(database),
    rssMiB: (app) => rssMiB(home, app),
    cpuSeconds: () => cpuSecondsOfAll(home, server, redis),
    pid: (app) => pidOf(home, app),
    settle: (statements) => settle(settings, statements),
    async close() {
      await database.close();
      command('reset', '--yes');
      rmSync(path.dirname(home), { recursive: true, force: true });
    },
  };
}

/** As after any load of much at once. */
async function settle({ DATABASE_URL, TALLYSTICK_POSTGRES_FOLDER: folder }, statements = ['VACUUM (ANALYZE)', 'CHECKPOINT']) {
  const url = new URL(DATABASE_URL);
  if (folder) Object.assign(url, { username: 'postgres', password: readFileSync(path.join(folder, 'password'), 'utf8') });
  const owner = new pg.Client({ connectionString: url.href });
  await owner.connect();
  for (const statement of statements) await owner.query(statement);
  await owner.end();
}

async function linkSubjects(database) {
  const subjects = new Subjects(new PgExchange(database), nodeClerk, systemClock);
  const one = async () => {
    const { id } = await subjects.register({ caller: 'bench', key: randomUUID(), kind: 'INDIVIDUAL' });
    return (await subjects.link(id, { participant: 'bank-a' })).link.ref;
  };
  const refs = [];
  while (refs.length < SUBJECTS) refs.push(...(await Promise.all(Array.from({ length: 16 }, one))));
  return refs;
}

const TICKS_PER_SECOND = 100;

/** User and system time so far, by process: unlike the clock it does not count what else the machine does. */
function cpuSecondsOfAll(home, server, redis) {
  const { user, system } = process.cpuUsage();
  return {
    ...{ gateway: cpuSeconds(pidOf(home, 'gateway')), worker: cpuSeconds(pidOf(home, 'worker')), postgres: treeCpuSeconds(server) },
    ...{ redis: cpuSeconds(redis), client: (user + system) / 1e6 },
  };
}

/** A process and its children, the ended ones too: those it has waited for. */
function treeCpuSeconds(pid) {
  const ended = statOf(pid).slice(13, 15).reduce(sum, 0) / TICKS_PER_SECOND;
  const living = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(statOf(name)[1]) === pid);
  return [pid, ...living].map(cpuSeconds).reduce(sum, ended);
}

function cpuSeconds(pid) {
  return statOf(pid).slice(11, 13).reduce(sum, 0) / TICKS_PER_SECOND;
}

/** The fields of /proc/<pid>/stat behind the name; nothing where the process is gone. */
function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  } catch {
    return [];
  }
}

const sum = (total, part) => total + Number(part);

/** Every backend is its child. */
async function postmaster(database) {
  const [{ pid }] = await database.query('SELECT pg_backend_pid() AS pid');
  return Number(statOf(pid)[1]);
}

/** Redis runs on a port of its own: 0 where there is none. */
function redisOf(url) {
  const port = url && new URL(url).port;
  const command = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    } catch {
      return '';
    }
  };
  const isOurs = (pid) => /redis-server|valkey-server/.test(command(pid)) && command(pid).includes(port);
  return url ? Number(readdirSync('/proc').find((name) => /^\d+$/.test(name) && isOurs(name)) ?? 0) : 0;
}

function pidOf(home, app) {
  return JSON.parse(readFileSync(path.join(home, 'status.json'), 'utf8')).find(({ name }) => name === app).pid;
}

/** The most memory that one of our processes ever took. */
function rssMiB(home, app) {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pidOf(home, app)}/status`, 'utf8'))[1]) / 1024);
}

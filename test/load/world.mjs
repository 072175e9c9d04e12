// A private world for one measurement: PostgreSQL with fsync, subjects, an active policy, decision-api and the echo as own processes.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import pg from 'pg';
import { addSubjects } from '#decisions/testing/subjects';
import { Database, DOOR_FLAGS, freePort, migrate, startPostgres } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';

export const SUBJECTS = 10_000;
const ISSUER = 'bench-issuer';
const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

/** Wide limits: every request is allowed, and each passes one transaction limit and two counters. */
const POLICY = {
  id: 'bench',
  version: 1,
  timeZone: 'Asia/Shanghai',
  currency: 'CNY',
  tiers: [
    { name: 'LIMITED', minimumScore: 350 },
    { name: 'EXCELLENT', minimumScore: 700 },
  ],
  limits: [{ id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '10000000.00' }],
  services: [
    {
      name: 'checkout',
      mode: 'enforce',
      limits: [
        { id: 'checkout-one', window: 'TRANSACTION', scope: 'SUBJECT', amount: '2000.00' },
        { id: 'checkout-day', window: 'DAY', scope: 'SUBJECT_SERVICE', amount: '9000000.00', count: 1000000 },
      ],
    },
  ],
  discounts: [{ id: 'excellent', tiers: ['EXCELLENT'], percent: '1.5' }],
};

export async function openWorld() {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-bench-'));
  chmodSync(folder, 0o711);
  const stops = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const stop of stops.reverse()) await stop();
  };
  try {
    const url = await databaseUrl(folder, stops);
    const database = await Database.open(url, 4);
    stops.push(() => database.close());
    await new PgPolicies(database).activate(POLICY, { author: 'bench', approver: 'bench-approver' }, new Date());
    const subjects = await addSubjects(database, SUBJECTS);
    const token = await makeIssuer(folder);
    const [http, grpc, echo] = [await freePort(), await freePort(), await freePort()];
    const api = await startApi({ folder, url, http, grpc, stops });
    await startEcho(echo, stops);
    const another = async () => await startApi({ folder, url, http: await freePort(), grpc: await freePort(), stops });
    const settle = () => asOwner(url, ['VACUUM (ANALYZE)', 'CHECKPOINT']);
    return { database, url, subjects, token, ports: { http, grpc, echo }, api, another, settle, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function databaseUrl(folder, stops) {
  const own = process.env.DATABASE_URL ? undefined : await startPostgres({ folder: path.join(folder, 'pg') });
  if (own) stops.push(() => own.stop());
  const url = new URL(own?.url ?? process.env.DATABASE_URL);
  const name = `bench_${process.pid}`;
  await asOwner(url.href, [`CREATE DATABASE ${name}`]);
  url.pathname = name;
  await migrate(url.href);
  return url.href;
}

async function asOwner(url, statements) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

async function makeIssuer(folder) {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'EdDSA' };
  mkdirSync(path.join(folder, 'keys'));
  writeFileSync(path.join(folder, 'keys', 'internal-issuer.jwks.json'), JSON.stringify({ keys: [jwk] }));
  return async () =>
    await new SignJWT({ scope: 'decisions:evaluate decisions:reserve' })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'bench' })
      .setIssuer(ISSUER)
      .setSubject('bench-client')
      .setAudience('tallystick-decision-api')
      .setIssuedAt()
      .setExpirationTime('14m')
      .sign(privateKey);
}

async function startApi({ folder, url, http, grpc, stops }) {
  const env = {
    DATABASE_URL: url,
    TALLYSTICK_HOME: folder,
    DECISION_HTTP_PORT: http,
    DECISION_GRPC_PORT: grpc,
    INTERNAL_TOKEN_ISSUER: ISSUER,
  };
  const child = start([...DOOR_FLAGS, 'dist/apps/decision-api/src/main.js'], { ...env, LOG_LEVEL: 'warn', NODE_ENV: 'production' }, stops);
  await untilAnswers(`http://127.0.0.1:${http}/ready`, (status) => status === 200);
  return { pid: child.pid, port: http, rssMiB: () => rssMiB(child.pid), cpuMs: () => cpuMs(child.pid) };
}

async function startEcho(port, stops) {
  start(['test/load/echo-server.mjs'], { PORT: port, NODE_ENV: 'production' }, stops);
  await untilAnswers(`http://127.0.0.1:${port}/v1/decisions`, () => true);
}

function start(args, env, stops) {
  const profile =
    process.env.BENCH_PROFILE && args.at(-1).startsWith('dist') ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`] : [];
  const child = spawn(process.execPath, [...profile, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  stops.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return child;
}

async function untilAnswers(url, accepts) {
  for (let tries = 0; tries < 100; tries++) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status !== 0 && accepts(status)) return;
    await pause(100);
  }
  throw new Error(`${url} does not answer`);
}

/** Holds each of the processes to `share` of a core while `work` runs. */
export async function throttled(share, pids, work) {
  const throttles = pids.map((pid) =>
    spawn(process.execPath, ['test/load/throttle.mjs', String(share), String(pid)], { stdio: 'inherit' }),
  );
  try {
    return await work();
  } finally {
    await Promise.all(throttles.map((throttle) => new Promise((resolve) => throttle.once('exit', resolve) && throttle.kill('SIGTERM'))));
  }
}

/** User and system time of a process; what it cost does not depend on who else used the machine. */
export function cpuMs(pid) {
  const { user, system } = times(pid);
  return ((user + system) * 1000) / TICKS_PER_SECOND;
}

/** The same of a whole server: its living children, and those that ended and were waited for. */
export function serverCpuMs(childPid) {
  const { parent } = times(childPid);
  const { user, system, endedUser, endedSystem } = times(parent);
  const living = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && timesOrNone(name)?.parent === parent);
  const ended = ((user + system + endedUser + endedSystem) * 1000) / TICKS_PER_SECOND;
  return living.reduce((sum, pid) => sum + (timesOrNone(pid) ? cpuMs(pid) : 0), ended);
}

function timesOrNone(pid) {
  try {
    return times(pid);
  } catch {
    return undefined;
  }
}

function times(pid) {
  const [, rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ').map(Number);
  return { parent: fields[1], user: fields[11], system: fields[12], endedUser: fields[13], endedSystem: fields[14] };
}

function rssMiB(pid) {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return Math.round((pages * PAGE_BYTES) / 2 ** 20);
}

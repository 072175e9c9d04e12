// A whole installation of its own, started as a user would, with subjects that bank A is linked to.
import { spawnSync } from 'node:child_process';
import { createPrivateKey, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '#kernel';
import { Database, freePort } from '#platform';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';

const PORTS = ['GATEWAY_PORT', 'ENROLMENT_PORT', 'DECISION_HTTP_PORT', 'DECISION_GRPC_PORT', 'CONSOLE_PORT', 'WORKER_PORT'];
const SUBJECTS = 500;

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
  const database = await Database.open(settings.DATABASE_URL, 4);
  const read = (name) => readFileSync(path.join(home, 'pki', name), 'utf8');
  const jwk = JSON.parse(read('clients/bank-a/signing-key.jwk.json'));
  return {
    ...{ origin, database, command, port: Number(ports.GATEWAY_PORT) },
    tls: { ca: read('server/ca.pem'), cert: read('clients/bank-a/cert.pem'), key: read('clients/bank-a/key.pem') },
    signingKey: { kid: jwk.kid, alg: jwk.alg, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) },
    refs: await linkSubjects(database),
    rssMiB: (app) => rssMiB(home, app),
    gatewayCpuSeconds: () => cpuSeconds(home),
    async close() {
      await database.close();
      command('reset', '--yes');
      rmSync(path.dirname(home), { recursive: true, force: true });
    },
  };
}

async function linkSubjects(database) {
  const subjects = new Subjects(new PgExchange(database), nodeClerk, systemClock);
  const one = async () => {
    const { id } = await subjects.register({ caller: 'bench', key: randomUUID(), kind: 'INDIVIDUAL' });
    return (await subjects.link(id, { participant: 'bank-a' })).link.ref;
  };
  const refs = [];
  while (refs.length < SUBJECTS) refs.push(...(await Promise.all([one(), one(), one(), one()])));
  return refs;
}

/** User and system time of the gateway process: unlike the clock it does not count what else the machine does. */
function cpuSeconds(home) {
  const { pid } = JSON.parse(readFileSync(path.join(home, 'status.json'), 'utf8')).find(({ name }) => name === 'gateway');
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The most memory that one of our processes ever took. */
function rssMiB(home, app) {
  const { pid } = JSON.parse(readFileSync(path.join(home, 'status.json'), 'utf8')).find(({ name }) => name === app);
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
}

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database, parseConfig } from '#platform';
import { openStage } from '../../apps/cli/src/demo/open-stage.js';
import type { Stage } from '../../apps/cli/src/demo/stage.js';
import { type Installation, startInstallation } from '../world/installation.js';
import { type Acknowledged, insist, work } from '../world/workload.js';

const seed = Number(process.env['KILL_SEED'] ?? 1);
const roundsPerKill = 10;

let installation: Installation;
let stage: Stage;
let database: Database;
let customer: { subject: string; ref: string };

beforeAll(async () => {
  installation = await startInstallation();
  Object.assign(process.env, { TALLYSTICK_HOME: installation.home });
  const config = parseConfig(installation.settings);
  stage = await openStage(config, undefined, async (args) => {
    const { code, stdout, output } = await installation.command(args);
    return { code, output: code === 0 ? stdout : output };
  });
  database = await Database.open(config.DATABASE_URL!);
  const { TALLY_SUBJECT, TALLY_REF } = tryEnv();
  customer = { subject: TALLY_SUBJECT!, ref: TALLY_REF! };
}, 300_000);

afterAll(async () => {
  await database?.close();
  await installation?.stop();
}, 60_000);

function tryEnv(): Record<string, string> {
  const lines = readFileSync(path.join(installation.home, 'try.env'), 'utf8').matchAll(/^export (\w+)='([^']*)'$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
}

interface State {
  readonly name: string;
  readonly pid?: number;
  readonly state: string;
  readonly restarts: number;
}

function stateOf(name: string): State {
  const states = JSON.parse(readFileSync(path.join(installation.home, 'status.json'), 'utf8')) as State[];
  return states.find((state) => state.name === name)!;
}

async function untilRestarted(name: string, restarts: number): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const state = stateOf(name);
    if (state.restarts >= restarts && state.state === 'running') return;
    await delay(100);
  }
  throw new Error(`${name} was not restarted ${restarts} times: ${JSON.stringify(stateOf(name))}`);
}

/** Every promise that was made is kept: same receipts, same decisions, one effect per key. */
async function verify(done: Acknowledged): Promise<void> {
  expect(done.records).toHaveLength(roundsPerKill);
  expect(done.confirmed).toHaveLength(roundsPerKill);
  for (const { jws, receipt } of done.records) {
    expect(await insist(() => stage.bankA.client.submitRecord(jws))).toEqual({ receipt, repeated: true });
  }
  for (const { key, ask, answer } of done.decisions) {
    const again = await insist(() => stage.checkout.decide(ask, key));
    expect(again.decisionId).toBe(answer.decisionId);
    expect(again.reservation?.id).toBe(answer.reservation?.id);
  }
  const keys = done.decisions.map(({ key }) => key);
  const [row] = await insist(() =>
    database.query<{ decisions: bigint; confirmed: bigint }>(
      `SELECT count(*) AS decisions, count(*) FILTER (WHERE r.state = 'CONFIRMED') AS confirmed
         FROM decisions d JOIN reservations r ON r.shard = d.shard AND r.reservation = d.decision
        WHERE d.key = ANY ($1)`,
      [keys],
    ),
  );
  expect(row).toEqual({ decisions: BigInt(roundsPerKill), confirmed: BigInt(roundsPerKill) });
}

/** All numbers of a shard are there, each once: facts and decisions share them. */
async function verifyNumbers(): Promise<void> {
  const gaps = await insist(() =>
    database.query(
      `SELECT h.shard, h.last_seq, count(n.seq) AS rows, count(DISTINCT n.seq) AS numbers
         FROM shard_heads h
         LEFT JOIN (SELECT shard, seq FROM facts UNION ALL SELECT shard, seq FROM decisions) n ON n.shard = h.shard
        GROUP BY h.shard, h.last_seq
       HAVING count(n.seq) <> h.last_seq OR count(DISTINCT n.seq) <> h.last_seq`,
    ),
  );
  expect(gaps).toEqual([]);
}

/**
 * The nth pass differs from seed to seed, within what ten rounds of work surely reach. The processes take turns: one that was killed
 * again and again would be restarted ever later. decision-api decides and settles in one statement that is its own commit: after it is where it can
 * be cut.
 */
const POINTS: readonly [app: string, point: string, nthMax: number][] = [
  ['gateway', 'statement.after', 30],
  ['decision-api', 'statement.after', 12],
  ['worker', 'statement.after', 20],
  ['gateway', 'commit.before', 8],
  ['worker', 'commit.before', 3],
  ['gateway', 'commit.after', 8],
  ['worker', 'commit.after', 3],
  ['worker', 'file.after', 3],
];

describe('kill -9 at a named point', () => {
  it.each(POINTS)(
    '%s at %s: everything acknowledged is there afterwards',
    async (app, point, nthMax) => {
      const nth = 1 + ((seed * 7919 + app.length * 31 + point.length) % nthMax);
      installation.armCrash(app, point, nth);
      const { pid, restarts } = stateOf(app);
      process.kill(pid!, 'SIGKILL');
      const done = await work(stage, customer, roundsPerKill);
      await untilRestarted(app, restarts + 2);
      await verify(done);
      await verifyNumbers();
    },
    180_000,
  );

  it.each(['postgres', 'redis'])(
    '%s itself',
    async (server) => {
      const { pid, restarts } = stateOf(server);
      const working = work(stage, customer, roundsPerKill);
      await delay(300);
      process.kill(pid!, 'SIGKILL');
      const done = await working;
      await untilRestarted(server, restarts + 1);
      await verify(done);
      await verifyNumbers();
    },
    180_000,
  );
});

describe('after all that', () => {
  it('every fact is sealed, and the day verifies offline', async () => {
    const bundle = path.join(installation.home, 'after.tallystick');
    const day = new Date().toISOString().slice(0, 10);
    const exported = await installation.command(['export', '--day', day, '--out', bundle]);
    expect(exported).toMatchObject({ code: 0 });
    expect(await installation.command(['verify', bundle])).toMatchObject({ code: 0 });
    const last = await work(stage, customer, 1);
    await insist(async () => {
      const { proof } = await stage.bankA.client.receipt(last.records[0]!.jti);
      if (proof === undefined) throw new Error('not sealed yet');
    });
  }, 180_000);
});

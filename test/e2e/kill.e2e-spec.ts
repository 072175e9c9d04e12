import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId, systemClock } from '#kernel';
import { Database, parseConfig } from '#platform';
import { signRecord } from '#sdk';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { openStage } from '../../apps/cli/src/demo/open-stage.js';
import type { Stage } from '../../apps/cli/src/demo/stage.js';
import { sampleRating } from '../../apps/cli/src/seed/seed-customers.js';
import { Dice } from '../sim/dice.js';
import {
  BATCH_KILLS,
  BATCH_POINTS,
  killNow,
  seeThrough,
  supervised,
  untilRestarted as untilRestartedIn,
  writeKillBatch,
  writeSealedKillBatch,
} from '../world/batch-kills.js';
import { type Installation, startInstallation } from '../world/installation.js';
import { type Acknowledged, insist, work } from '../world/workload.js';

const seed = Number(process.env['KILL_SEED'] ?? 1);
const roundsPerKill = 10;
/** `KILL_BATCH_SEEDS=1-20` is the long form; each seed is another moment, and every kill of the table comes in turn. */
const [firstSeed, lastSeed] = (process.env['KILL_BATCH_SEEDS'] ?? '1-1').split('-').map(Number) as [number, number];
const batchSeeds = Array.from({ length: lastSeed - firstSeed + 1 }, (_, i) => firstSeed + i);

let installation: Installation;
let stage: Stage;
let database: Database;
let customer: { subject: string; ref: string };

beforeAll(async () => {
  installation = await startInstallation();
  Object.assign(process.env, { TALLYSTICK_HOME: installation.home });
  const config = parseConfig(installation.settings);
  stage = await openStage(config, installation.home, undefined, async (args) => {
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

const stateOf = (name: string) => supervised(installation.home, name);
const untilRestarted = (name: string, restarts: number) => untilRestartedIn(installation.home, name, restarts);

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

/** A bank may have 500 records in force about one. */
async function customers(count: number): Promise<string[]> {
  const subjects = new Subjects(new PgExchange(database), nodeClerk, systemClock);
  const one = async () => {
    const { id } = await subjects.register({ caller: 'test', key: randomUUID(), kind: 'INDIVIDUAL' });
    return formatId('lnk', (await subjects.link(id, { participant: stage.bankA.id })).link.ref);
  };
  return await Promise.all(Array.from({ length: count }, () => insist(one)));
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

describe('kill -9 of the gateway while records are taken together', () => {
  it('each is there once, with the receipt that was given, when it is sent again', async () => {
    const dice = new Dice(seed + 500);
    const { client, id, key } = stage.bankA;
    const refs = await customers(4);
    const payloads = Array.from({ length: 120 }, (_, i) => ({
      ...sampleRating(id, refs[i % refs.length]!, dice.int(400, 900), new Date()),
      seq: stage.bankA.nextSeq++,
    }));
    const sent = await Promise.all(payloads.map((payload) => signRecord(payload, key)));
    const { restarts } = stateOf('gateway');
    const killedAt = dice.int(1, 90);
    let answers = 0;
    const submit = async (jws: string) => {
      const { receipt } = await insist(() => client.submitRecord(jws));
      if (++answers === killedAt) killNow(installation.home, 'gateway');
      return receipt;
    };
    const receipts = await inLanes(24, sent, submit);
    await untilRestarted('gateway', restarts + 1);
    const again = await inLanes(24, sent, (jws) => insist(() => client.submitRecord(jws)));
    expect(again).toEqual(receipts.map((receipt) => ({ receipt, repeated: true })));
    const [row] = await database.query<{ rows: bigint; facts: bigint }>(
      `SELECT count(*) AS rows, count(DISTINCT (shard, fact_seq)) AS facts FROM records WHERE jti = ANY ($1::uuid[])`,
      [payloads.map(({ jti }) => jti)],
    );
    expect(row).toEqual({ rows: 120n, facts: 120n });
    await verifyNumbers();
  }, 180_000);
});

/** So many at the same time, each lane one after the other. */
async function inLanes<In, Out>(lanes: number, things: readonly In[], work: (thing: In) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = [];
  const waiting = [...things.entries()];
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) done[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return done;
}

describe('kill -9 during a batch', () => {
  it.each(batchSeeds)(
    'seed %i: each line exactly once, and the same receipts when it is sent again',
    async (batchSeed) => {
      const dice = new Dice(batchSeed);
      const kill = BATCH_KILLS[(batchSeed - 1) % BATCH_KILLS.length]!;
      const scene = { stage, home: installation.home, refs: await customers(4), dice };
      const { jtis, file } = await writeKillBatch(scene);
      const { restarts } = stateOf(kill.who);
      const [share, lines] = [dice.roll() * 0.8, dice.int(1, jtis.length - 1)];
      let armed = kill.when !== 'at a named point';
      const once = (isTime: boolean) => {
        if (!armed || !isTime) return;
        armed = false;
        killNow(installation.home, kill.who);
      };
      if (!armed) {
        const [point, nthMax] = dice.pick(BATCH_POINTS[kill.who]!);
        installation.armCrash(kill.who, point, dice.int(1, nthMax));
        killNow(installation.home, kill.who);
        await untilRestarted(kill.who, restarts + 1);
      }
      const status = await seeThrough(scene, file, {
        ...(kill.when === 'in the middle of the upload' ? { onSent: (sent) => once(sent > share) } : {}),
        ...(kill.when === 'while its lines are taken' ? { onProgress: ({ lines: { done } }) => once(done >= Math.min(lines, 100)) } : {}),
      });
      const good = jtis.filter((jti) => jti !== undefined);
      expect(status.lines).toEqual({
        total: jtis.length,
        done: jtis.length,
        accepted: good.length,
        repeated: 0,
        refused: jtis.length - good.length,
      });
      await verifyBatch(status.id, file, jtis);
      await verifyNumbers();
    },
    180_000,
  );

  /** Each line has its outcome and each record its row once; the file again is the same batch, each line alone gets the same receipt. */
  async function verifyBatch(id: string, file: string, jtis: readonly (string | undefined)[]): Promise<void> {
    const { client } = stage.bankA;
    const receipts: string[] = [];
    let line = 0;
    for await (const outcome of client.batches.results(id)) {
      expect([outcome.line, outcome.outcome, outcome.jti]).toEqual([++line, jtis[line - 1] ? 'ACCEPTED' : 'REFUSED', jtis[line - 1]]);
      if (outcome.receipt !== undefined) receipts.push(outcome.receipt);
    }
    const good = jtis.filter((jti) => jti !== undefined);
    const [row] = await insist(() =>
      database.query<{ rows: bigint; facts: bigint }>(
        `SELECT count(*) AS rows, count(DISTINCT (shard, fact_seq)) AS facts FROM records WHERE jti = ANY ($1::uuid[])`,
        [good],
      ),
    );
    expect([line, receipts.length, row]).toEqual([jtis.length, good.length, { rows: BigInt(good.length), facts: BigInt(good.length) }]);
    expect(await insist(() => client.batches.submit(file))).toMatchObject({ id, repeated: true, state: 'DONE' });
    const lines = readFileSync(file, 'utf8').split('\n');
    for (const nth of [0, Math.floor(jtis.length / 2), jtis.length - 1].filter((at) => jtis[at] !== undefined)) {
      const again = await insist(() => client.submitRecord(lines[nth]!));
      expect([again.repeated, receipts.includes(again.receipt)]).toEqual([true, true]);
    }
  }
});

describe('kill -9 of the gateway while sealed lines are received', () => {
  /** Whoever is new to a process has its certificate kept first: the second commit is that of the batch. */
  const MOMENTS: readonly [when: string, point?: readonly [name: string, nth: number]][] = [
    ['in the middle of the upload'],
    ['before their commit', ['commit.before', 2]],
    ['after their commit', ['commit.after', 2]],
  ];

  it.each(MOMENTS)(
    '%s: each line is there once when they are sent again, and nothing half written stays',
    async (when, point) => {
      const dice = new Dice(seed + 900 + when.length);
      const scene = { stage, home: installation.home, refs: await customers(6), dice };
      const file = path.join(installation.home, 'kill-sealed.ndjson');
      rmSync(file, { force: true });
      const jtis = await writeSealedKillBatch(scene, file, 600);
      const { restarts } = stateOf('gateway');
      let share = point ? undefined : dice.roll();
      if (point) {
        installation.armCrash('gateway', ...point);
        killNow(installation.home, 'gateway');
        await untilRestarted('gateway', restarts + 1);
      }
      const status = await seeThrough(scene, file, {
        onSent: (sent) => {
          if (share === undefined || sent < share) return;
          share = undefined;
          killNow(installation.home, 'gateway');
        },
      });
      await untilRestarted('gateway', restarts + (point ? 2 : 1));
      // The manifest is line 1, and no record.
      expect(status.lines).toMatchObject({ accepted: jtis.length, repeated: 0, refused: 0 });
      const [row] = await insist(() =>
        database.query<{ rows: bigint; facts: bigint }>(
          `SELECT count(*) AS rows, count(DISTINCT (shard, fact_seq)) AS facts FROM records WHERE jti = ANY ($1::uuid[])`,
          [jtis],
        ),
      );
      expect(row).toEqual({ rows: BigInt(jtis.length), facts: BigInt(jtis.length) });
      await verifyNumbers();
      await verifySwept();
    },
    180_000,
  );

  /** Hours later a worker removes what the dead left; what it may have left is put beside it. */
  async function verifySwept(): Promise<void> {
    const folder = path.join(installation.home, 'batches');
    writeFileSync(path.join(folder, `${randomUUID()}.partial.ndjson`), '{"half":');
    const longAgo = new Date(Date.now() - 24 * 3_600_000);
    for (const name of readdirSync(folder)) utimesSync(path.join(folder, name), longAgo, longAgo);
    const { restarts } = stateOf('worker');
    killNow(installation.home, 'worker');
    await untilRestarted('worker', restarts + 1);
    const halves = () => readdirSync(folder).filter((name) => name.includes('.partial.'));
    await insist(async () => {
      if (halves().length > 0) throw new Error(`left behind: ${halves().join()}`);
    });
  }
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

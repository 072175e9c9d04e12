import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { addSubjects } from '#decisions/testing/subjects';
import { liveDecider } from '#decisions/testing/live-decider';
import { type Clock, formatId, systemClock } from '#kernel';
import { Database, parseConfig, type SqlRunner } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { type ApiWorld, openApiWorld } from '../sim/api-world.js';
import { activateWidePolicy, changeUnderLoad } from '../sim/changes.js';
import { openQueueHome } from '../../libs/platform/src/queues.js';
import { crossNights, NIGHTS_ZONE } from '../sim/calendar-nights.js';
import { Dice } from '../sim/dice.js';
import { innerDoor } from '../sim/doors.js';
import { judge, type Verdict } from '../sim/judge.js';
import { lossyProxy } from '../sim/lossy-proxy.js';
import { asOwner, asOwnerForNothing, plantReadCheckWrite, plantUnheldSettlement } from '../sim/planted.js';
import { PLANTS } from '../sim/plants.js';
import { simPolicy } from '../sim/sim-policy.js';
import { until } from '../world/worker-world.js';
import { insist, type Journal, newJournal, runTraffic } from '../sim/traffic.js';

// The short form. `npm run chaos -- --seed 7 --minutes 30` repeats it with other seeds until the time is over.
const seed = Number(process.env['CHAOS_SEED'] ?? 1);
const longMs = Number(process.env['CHAOS_MINUTES'] ?? 0) * 60_000;
const long = { timeout: longMs + 120_000 };
const SCENARIOS_WITH_ROUNDS = 3;

/** One round, or in the long form as many as this scenario's share of the time allows, each with a seed of its own. */
async function rounds(name: string, round: (dice: Dice) => Promise<string>): Promise<void> {
  const end = performance.now() + longMs / SCENARIOS_WITH_ROUNDS;
  for (let next = seed; ; next++) {
    try {
      console.log(`chaos: ${name}, seed ${next}: ${await round(new Dice(next))}`);
    } catch (error) {
      console.error(`chaos: ${name}, seed ${next}: FAILED`);
      throw error;
    }
    if (performance.now() > end) return;
  }
}

async function hotSubjects(database: Database, count: number): Promise<string[]> {
  return (await addSubjects(database, count)).map((subject) => formatId('sub', subject));
}

function told(verdict: Verdict, { repeated, refused }: Journal): string {
  const codes = [...refused].map(([code, times]) => `${times} ${code}`).join(', ');
  const { decisions, denied, settlements, expired } = verdict;
  return `${decisions} decisions (${denied} denied), ${settlements} settlements, ${expired} ran out, ${repeated} attempts repeated; ${codes}`;
}

/** The worker's sweep goes on meanwhile: one snapshot of everything. */
async function judgeSnapshot(database: Database, journal: Journal): Promise<Verdict> {
  return await database.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    return await judge(tx, journal);
  });
}

async function unsealed(database: Database): Promise<bigint> {
  const [row] = await database.query<{ behind: bigint }>(
    'SELECT sum(h.last_seq - c.sealed_seq)::bigint AS behind FROM shard_heads h JOIN log_cursors c USING (shard)',
  );
  return row!.behind;
}

describe('decision-api in several processes', () => {
  let world: ApiWorld;
  const journal = newJournal();

  beforeAll(async () => {
    world = await openApiWorld(2, new Dice(seed));
  });
  afterAll(() => world?.close());

  const lose = (rate: number) => world.proxies.forEach((proxy) => (proxy.lossRate = rate));

  it('keeps every promise while replies are lost, processes die and PostgreSQL restarts', long, async () => {
    await rounds('processes', async (dice) => {
      const subjects = await hotSubjects(world.database, 2);
      lose(0.02);
      let over = false;
      const changing = changeUnderLoad({ database: world.database, subjects, changes: journal.changes, dice }, () => over);
      const traffic = runTraffic({ dice, doors: world.doors, subjects, journal, callers: 16, rounds: 18 }).finally(() => (over = true));
      await delay(dice.int(200, 1_500));
      await dice.pick(world.apis).crash();
      await world.crashRedis();
      await delay(dice.int(100, 800));
      await world.crashPostgres();
      await traffic;
      await changing;
      lose(0);
      const lost = world.proxies.map((proxy) => proxy.lost());
      const verdict = await judgeSnapshot(world.database, journal);
      expect(verdict.breaches).toEqual([]);
      expect(Math.max(...lost)).toBeGreaterThan(0);
      // What was acknowledged is sealed, although the worker's queues, its replies and its Redis were lost on the way.
      await until(async () => (await unsealed(world.database)) === 0n || undefined);
      return `${told(verdict, journal)}; ${lost.join('+')} replies lost`;
    });
  });

  it('declines nothing while room is certain, and everything beyond', long, async () => {
    const dice = new Dice(seed);
    const [subject] = await hotSubjects(world.database, 1);
    await activateWidePolicy({ database: world.database, changes: journal.changes });
    const spend = async (amount: string) => {
      const [ask, key] = [{ subject: subject!, service: 'checkout', amount, holdSeconds: 900 }, crypto.randomUUID()];
      const answer = await insist({ dice, doors: world.doors, journal }, (door) => door.decide(ask, key));
      journal.decisions.push({ key, ask, answer, askedMs: performance.now() });
      return answer;
    };
    lose(0.05);
    const held = [];
    for (let i = 0; i < 10; i++) held.push(await spend('300.00'));
    expect(held.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 10 }, () => 'ALLOW'));
    expect((await spend('0.01')).outcome).toBe('DENY');
    const { id } = held[3]!.reservation!;
    await insist({ dice, doors: world.doors, journal }, (door) => door.settle('release', id, undefined, crypto.randomUUID()));
    expect((await spend('300.01')).outcome).toBe('DENY');
    expect((await spend('300.00')).outcome).toBe('ALLOW');
    lose(0);
    expect((await judgeSnapshot(world.database, journal)).breaches).toEqual([]);
  });

  it.runIf(inject('TEST_REDIS_URL'))('hears from Redis’s client that a reply was lost; the client repeats nothing by itself', async () => {
    const url = new URL(inject('TEST_REDIS_URL')!);
    const proxy = await lossyProxy(Number(url.port), new Dice(seed));
    url.port = String(proxy.port);
    const { connection } = await openQueueHome(parseConfig({ TALLYSTICK_ENV: 'test', REDIS_URL: url.href }));
    expect(connection).toMatchObject({ commandTimeout: expect.any(Number) as number });
    const [lossy, straight] = [new Redis({ ...connection, commandTimeout: 300 }), new Redis(inject('TEST_REDIS_URL')!)];
    lossy.on('error', () => undefined);
    const key = `heard:${crypto.randomUUID()}`;
    await lossy.ping();
    proxy.loseReplyTo(key);
    await expect(lossy.incrby(key, 100)).rejects.toThrow();
    proxy.loseReplyTo('nothing any more');
    // Its next connection serves the next command, and that one only.
    await lossy.ping();
    expect([await straight.get(key), proxy.timesSent(key), proxy.lost()]).toEqual(['100', 1, 1]);
    await straight.del(key);
    lossy.disconnect();
    straight.disconnect();
    await proxy.close();
  });

  it('hears from PostgreSQL’s client that a reply was lost; the client repeats nothing by itself', async () => {
    const { hostname, port, username, password, pathname } = new URL(world.database.pool.options.connectionString!);
    const owner = new URL(`postgresql://${username}:${password}@${hostname}:${port}${pathname}`);
    await asOwner(owner.href, async (client) => void (await client.query('CREATE TABLE heard (words text)')));
    const proxy = await lossyProxy(Number(port), new Dice(seed));
    owner.port = String(proxy.port);
    const lossy = await Database.open(owner.href, 2);
    proxy.loseReplyTo('INSERT INTO heard');
    await expect(lossy.query(`INSERT INTO heard VALUES ('alone')`)).rejects.toThrow();
    proxy.loseReplyTo('COMMIT');
    await expect(lossy.transaction((tx) => tx.query(`INSERT INTO heard VALUES ('in a transaction')`))).rejects.toThrow();
    expect([proxy.timesSent('INSERT INTO heard'), proxy.timesSent('COMMIT'), proxy.lost()]).toEqual([2, 1, 2]);
    expect(await world.database.query('SELECT words FROM heard ORDER BY 1')).toEqual([{ words: 'alone' }, { words: 'in a transaction' }]);
    await lossy.close();
    await proxy.close();
  });
});

describe('several ledgers on one database', () => {
  let fresh: FreshDatabase;
  afterAll(() => fresh?.close());

  async function openLedger(timeZone?: string): Promise<void> {
    await fresh?.close();
    fresh = await freshDatabase();
    await new PgPolicies(fresh.database).activate(simPolicy(timeZone), { author: 'ann', approver: 'ben' }, new Date());
  }

  async function doorsWith(...clocks: readonly Clock[]) {
    return (await Promise.all(clocks.map((clock) => liveDecider(fresh.database, clock)))).map(innerDoor);
  }

  it('no process’s clock decides a window, a hold or an end', long, async () => {
    await openLedger();
    const journal = newJournal();
    await rounds('clocks', async (dice) => {
      const wrong: Clock = { now: () => new Date(Date.now() + dice.int(-40, 40) * 86_400_000) };
      const doors = await doorsWith(systemClock, wrong, wrong);
      const subjects = await hotSubjects(fresh.database, 2);
      await runTraffic({ dice, doors, subjects, journal, callers: 16, rounds: 10 });
      const verdict = await judge(fresh.database, journal);
      expect(verdict.breaches).toEqual([]);
      return told(verdict, journal);
    });
  });

  it('midnight, week’s and month’s end and both daylight-saving nights pass under load', long, async () => {
    await rounds('nights', async (dice) => {
      await openLedger(NIGHTS_ZONE);
      const journal = newJournal();
      const doors = await doorsWith(systemClock, systemClock);
      const subjects = await hotSubjects(fresh.database, 1);
      let over = false;
      const crossing = crossNights(fresh.url).finally(() => (over = true));
      while (!over)
        await runTraffic({
          dice,
          doors,
          subjects,
          journal,
          callers: 12,
          rounds: 3,
          expiries: false,
          fates: ['leave', 'confirm', 'conflict'],
        });
      await crossing;
      const verdict = await judge(fresh.database, journal, NIGHTS_ZONE);
      expect(verdict.breaches).toEqual([]);
      const days = await fresh.database.query<{ hours: bigint }>(
        `SELECT DISTINCT (extract(epoch FROM (c->>'resetAt')::timestamptz - (c->>'start')::timestamptz) / 3600)::bigint AS hours
           FROM decisions, json_array_elements(details::json->'caps') AS c WHERE c->>'window' = 'DAY' ORDER BY hours`,
      );
      expect(verdict.denied).toBeGreaterThan(0);
      expect(days.map(({ hours }) => hours)).toEqual([23n, 24n, 25n]);
      return told(verdict, journal);
    });
  });

  describe('the checks themselves', () => {
    it('catch a ledger that reads, checks and then writes', async () => {
      await openLedger();
      await plantReadCheckWrite(fresh.url);
      const [dice, journal] = [new Dice(seed), newJournal()];
      const doors = await doorsWith(systemClock, systemClock, systemClock);
      const subjects = await hotSubjects(fresh.database, 1);
      await runTraffic({ dice, doors, subjects, journal, callers: 12, rounds: 10, expiries: false, fates: ['leave'] });
      const { breaches } = await judge(fresh.database, journal);
      expect(breaches).toContainEqual(expect.stringMatching(/^overspend: /));
      expect(breaches).toContainEqual(expect.stringMatching(/^usage of /));
    });

    it('catch a settlement that does not wait for the head row', async () => {
      await openLedger();
      await plantUnheldSettlement(fresh.url);
      const [dice, journal] = [new Dice(seed), newJournal()];
      const doors = await doorsWith(systemClock, systemClock, systemClock);
      const subjects = await hotSubjects(fresh.database, 1);
      // Other holds first: where nothing else is on hold, the counters' own floor would stop a second effect.
      await runTraffic({ dice, doors, subjects, journal, callers: 4, rounds: 3, expiries: false, fates: ['leave'] });
      await runTraffic({ dice, doors, subjects, journal, callers: 2, rounds: 3, expiries: false, fates: ['conflict'] });
      const { breaches } = await judge(fresh.database, journal);
      expect(breaches).toContainEqual(expect.stringMatching(/ is (CONFIRMED|RELEASED) and took a (confirm|release)$/));
    });

    describe('named', () => {
      const journal = newJournal();

      beforeAll(async () => {
        await openLedger();
        const subjects = await hotSubjects(fresh.database, 1);
        const doors = await doorsWith(systemClock, systemClock);
        const dice = new Dice(seed);
        let over = false;
        const changing = changeUnderLoad({ database: fresh.database, subjects, changes: journal.changes, dice }, () => over);
        const traffic = { dice, doors, subjects, journal, expiries: false, fates: ['leave', 'confirm', 'refund'] } as const;
        // Until there is one of everything to break.
        await until(async () => {
          await runTraffic({ ...traffic, callers: 4, rounds: 10 });
          const [row] = await fresh.database.query<{ all: boolean }>(ONE_OF_EVERYTHING);
          return row!.all || undefined;
        });
        over = true;
        await changing;
        // And of each subject something that was asked after the last change.
        await runTraffic({ ...traffic, callers: 2, rounds: 4 });
      });

      it('nothing, where nothing was planted', async () => {
        expect((await judge(fresh.database, journal)).breaches).toEqual([]);
      });

      it.each(PLANTS)('%s', async (_what, sql, breach) => {
        await asOwnerForNothing(fresh.url, async (owner) => {
          await plant(owner, sql);
          expect((await judge(owner, journal)).breaches).toContainEqual(expect.stringMatching(breach));
        });
      });
    });
  });
});

const ONE_OF_EVERYTHING = `SELECT (SELECT count(*) FROM decisions WHERE outcome = 'ALLOW') > 20
  AND EXISTS (SELECT FROM decisions d JOIN reservations r ON r.reservation = d.decision WHERE r.state = 'RESERVED')
  AND EXISTS (SELECT FROM settlements WHERE kind = 'confirm') AND EXISTS (SELECT FROM settlements WHERE kind = 'refund')
  AND EXISTS (SELECT FROM decisions WHERE outcome = 'DENY' AND usage ~ ':1(,|$)' AND details NOT LIKE '%SERVICE_STOP%')
  AND EXISTS (SELECT FROM decisions WHERE service = 'transfer' AND details LIKE '%SERVICE_STOP%')
  AND (SELECT count(DISTINCT policy_version) FROM decisions) > 1 AS all`;

/** Several statements may prepare one change; the last must have found something to change. */
async function plant(owner: SqlRunner, sql: string): Promise<void> {
  const statements = sql.split(';\n');
  for (const statement of statements.slice(0, -1)) await owner.query(statement);
  expect(await owner.query(statements.at(-1)!)).not.toHaveLength(0);
}

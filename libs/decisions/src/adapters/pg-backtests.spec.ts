import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ShardedId } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { policyInput } from '#policies/testing/house-policy';
import type { Backtest } from '../history/backtest.js';
import type { BacktestReport } from '../history/backtest-report.js';
import type { BacktestAsk } from '../history/backtests.js';
import { PAGE_LIMITS } from '../history/part-replay.js';
import { BACKTEST_LIMITS } from '../history/run-backtest.js';
import { activate, live, liveOnAllowances, SMALL_LIMITS } from '../testing/lived-history.js';
import { addSubjects } from '../testing/subjects.js';
import { backtestDesk, backtestRunner } from './backtests.js';
import { PgDecisionHistory } from './pg-decision-history.js';

let fresh: FreshDatabase;
let subjects: ShardedId[];
/** When the second policy came into force. */
let second: Date;

const NO_DIFFERENCE = { outcome: 0, computed: 0, discount: 0, reasons: 0, counters: 0 };
const draft = () => policyInput({ version: 9, limits: [{ id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '120.00' }] });

const request = (ask: Partial<BacktestAsk> = {}): Promise<Backtest> =>
  backtestDesk(fresh.database).request(
    { policy: 'RECORDED', from: undefined, to: undefined, assume: 'CONFIRMED', begin: 'CONTINUE', ...ask },
    'test',
    new Date(),
    randomBytes(10),
  );
const reportOf = async ({ id }: Backtest): Promise<BacktestReport> => {
  const { report, state, problem } = await backtestDesk(fresh.database).get(id);
  expect([state, problem]).toEqual(['DONE', undefined]);
  return JSON.parse(report!) as BacktestReport;
};
const done = async (ask: Partial<BacktestAsk> = {}) => {
  const asked = await request(ask);
  expect(await backtestRunner(fresh.database).run(asked.id)).toBe('DONE');
  return await reportOf(asked);
};
const runnerWith = (history: PgDecisionHistory) => backtestRunner(fresh.database, history);
const factsOf = async (id: string) => {
  const rows = await fresh.database.query<{ kind: string }>(
    `SELECT kind FROM facts WHERE kind LIKE 'backtest.%' AND body LIKE $1 ORDER BY seq`,
    [`%${id}%`],
  );
  return rows.map(({ kind }) => kind);
};

/** What is asked afterwards frees them: a fast machine would be done within the second that they last. */
const untilHoldsRanOut = async () => {
  const due = `SELECT count(*) AS n FROM reservations WHERE state = 'RESERVED' AND expires_at <= clock_timestamp()`;
  while ((await fresh.database.query<{ n: bigint }>(due))[0]!.n < 5n) await pause(50);
};

beforeAll(async () => {
  fresh = await freshDatabase();
  await activate(fresh.database, 1);
  await expect(request()).rejects.toMatchObject({ code: 'backtest.no_history' });
  subjects = await addSubjects(fresh.database, 60);
  await live(fresh.database, subjects, 700, 'before');
  await untilHoldsRanOut();
  await activate(fresh.database, 2, {
    limits: [...SMALL_LIMITS!.slice(0, 2), { id: 'new-day', window: 'DAY', scope: 'SUBJECT', amount: '250.00' }],
  });
  const [head] = await fresh.database.query<{ at: Date }>('SELECT max(last_at) AS at FROM shard_heads');
  second = head!.at;
  await live(fresh.database, subjects, 500, 'after');
  await liveOnAllowances(fresh.database, await addSubjects(fresh.database, 12));
});
afterAll(() => fresh.close());
const [{ saveEveryMs }, { rows }] = [BACKTEST_LIMITS, PAGE_LIMITS];
afterEach(() => {
  BACKTEST_LIMITS.saveEveryMs = saveEveryMs;
  PAGE_LIMITS.rows = rows;
});

describe('a back-test of what really decided', () => {
  it('finds no difference, to the last counter, across a change of policy', async () => {
    const { found, currency } = await done();
    expect(found.decisions.count).toBeGreaterThan(900);
    expect(found.differing).toEqual(NO_DIFFERENCE);
    expect(Object.keys(found.policyVersions)).toEqual(['1', '2']);
    expect(found.matrix.map(({ was }) => was)).toEqual(expect.arrayContaining(['ALLOW', 'DENY']));
    expect(currency).toBe('CNY');
    const spends = await fresh.database.query<{ result: string }>('SELECT DISTINCT result FROM allowance_spends ORDER BY result');
    expect(spends.map(({ result }) => result)).toEqual(expect.arrayContaining(['LATE', 'SETTLED']));
    const rows = await fresh.database.query<{ state: string }>('SELECT DISTINCT state FROM reservations ORDER BY state');
    expect(rows.map(({ state }) => state)).toEqual(['CONFIRMED', 'EXPIRED', 'RELEASED', 'RESERVED']);
  });

  it('finds none for the active version since it came into force', async () => {
    const { found } = await done({ policy: { version: 2n }, from: second });
    expect(found.decisions.count).toBeGreaterThan(400);
    expect(Object.keys(found.policyVersions)).toEqual(['2']);
    expect(found.differing).toEqual(NO_DIFFERENCE);
  });

  it('notices releases and refunds that its history lost', async () => {
    const asked = await request();
    const spoilt = new PgDecisionHistory(fresh.database);
    const read = spoilt.settlementsOf.bind(spoilt);
    spoilt.settlementsOf = async (...args) => (await read(...args)).filter(({ kind }) => kind === 'confirm');
    expect(await runnerWith(spoilt).run(asked.id)).toBe('DONE');
    expect((await reportOf(asked)).found.differing.counters).toBeGreaterThan(0);
  });
});

describe('a back-test of a draft', () => {
  it('tells who would change, by tier, amount, reason and limit, with examples', async () => {
    const { found, policy, assumptions } = await done({ policy: { document: draft() } });
    expect(policy).toMatchObject({ id: 'house', version: '9' });
    expect(found.differing.outcome).toBeGreaterThan(50);
    const total = (cells: typeof found.matrix) => cells.reduce((sum, { count }) => sum + count, 0);
    const all = found.decisions.count;
    expect(total(found.matrix)).toBe(all);
    expect(total(Object.values(found.byTier).flat())).toBe(all);
    expect(total(Object.values(found.byBand).flat())).toBe(all);
    const changed = found.matrix.find(({ was, would }) => was === 'ALLOW' && would === 'DENY')!;
    expect(changed.count).toBeGreaterThan(0);
    expect(found.limits['all-day']!.would).toBeGreaterThanOrEqual(changed.count);
    const example = found.examples.find(({ would }) => would === 'DENY')!;
    expect(example).toMatchObject({ was: 'ALLOW', wouldReasons: ['limit.exceeded (limit all-day)', expect.any(String)] });
    expect(assumptions.join(' ')).toContain('confirmed in full');
  });

  it('is the same report to the letter, however often its worker dies', async () => {
    const ask = { policy: { document: draft() } };
    const whole = JSON.stringify(await done(ask));
    const asked = await request(ask);
    BACKTEST_LIMITS.saveEveryMs = 0;
    // Less than most subjects have decisions, so that histories are taken in several pages, too.
    PAGE_LIMITS.rows = 7;
    let deaths = 0;
    for (let end = ''; end !== 'DONE';) {
      const dying = new PgDecisionHistory(fresh.database);
      const read = dying.bySubject.bind(dying);
      let left = 12;
      dying.bySubject = (...args) => (--left === 0 ? Promise.reject(new Error('killed')) : read(...args));
      end = await runnerWith(dying)
        .run(asked.id)
        .catch(() => 'died');
      if (end === 'died') deaths++;
      // A dead worker does not come back before its lease runs out.
      await expire(asked.id);
    }
    expect(deaths).toBeGreaterThan(5);
    const first = JSON.parse(whole) as BacktestReport;
    const again = await reportOf(asked);
    expect(again.found).toEqual(first.found);
    expect(again.history).toEqual({ ...first.history, bounds: expect.any(Object) as object });
    expect(await factsOf(asked.id)).toEqual(['backtest.requested', 'backtest.finished']);
  });

  it('is done once by two workers, and a worker that lost its lease saves nothing', async () => {
    const asked = await request({ policy: { document: draft() } });
    const ends = await Promise.all([1, 2, 3].map(() => backtestRunner(fresh.database).run(asked.id)));
    expect(ends.sort()).toEqual(['BUSY', 'BUSY', 'DONE']);
    const taken = await request({ policy: { document: draft() } });
    const slow = new PgDecisionHistory(fresh.database);
    const read = slow.bySubject.bind(slow);
    let isFirst = true;
    slow.bySubject = async (...args) => {
      if (!isFirst) return await read(...args);
      isFirst = false;
      await expire(taken.id);
      expect(await backtestRunner(fresh.database).run(taken.id)).toBe('DONE');
      return await read(...args);
    };
    expect(await runnerWith(slow).run(taken.id)).toBe('LOST');
    expect((await reportOf(taken)).found).toEqual((await reportOf(asked)).found);
    expect(await factsOf(taken.id)).toEqual(['backtest.requested', 'backtest.finished']);
  });

  it('can be cancelled while it runs', async () => {
    const asked = await request();
    const slow = new PgDecisionHistory(fresh.database);
    const read = slow.bySubject.bind(slow);
    slow.bySubject = async (...args) => {
      await backtestDesk(fresh.database)
        .cancel(asked.id)
        .catch(() => undefined);
      return await read(...args);
    };
    expect(await runnerWith(slow).run(asked.id)).toBe('LOST');
    expect(await backtestDesk(fresh.database).get(asked.id)).toMatchObject({ state: 'CANCELLED', report: undefined });
    expect(await backtestDesk(fresh.database).cancel(asked.id)).toMatchObject({ state: 'CANCELLED' });
    expect(await factsOf(asked.id)).toEqual(['backtest.requested', 'backtest.finished']);
  });
});

const IN_YEN = { limits: [], services: [{ name: 'checkout', mode: 'enforce' as const }], discounts: [] };

describe('what a back-test refuses', () => {
  it.each<[string, Partial<BacktestAsk>]>([
    ['backtest.no_history', { from: new Date('2027-01-01') }],
    ['backtest.no_history', { to: new Date('2020-01-01') }],
    ['backtest.range_empty', { from: new Date('2026-01-02'), to: new Date('2026-01-02') }],
    ['backtest.other_currency', { policy: { document: policyInput({ ...IN_YEN, currency: 'JPY' }) } }],
    ['policy.unknown', { policy: { version: 77n } }],
    ['policy.malformed', { policy: { document: { id: 'x' } } }],
  ])('%s', async (code, ask) => {
    await expect(request(ask)).rejects.toMatchObject({ code });
  });

  it('fails by code where the time asked about turns out to be empty', async () => {
    const [row] = await fresh.database.query<{ at: Date }>(`SELECT max(at) + interval '1 ms' AS at FROM decisions WHERE at < $1`, [second]);
    const asked = await request({ from: row!.at, to: new Date(row!.at.getTime() + 1) });
    expect(await backtestRunner(fresh.database).run(asked.id)).toBe('FAILED');
    expect(await backtestDesk(fresh.database).get(asked.id)).toMatchObject({
      state: 'FAILED',
      problem: expect.stringContaining('no_history'),
    });
  });
});

async function expire(id: string): Promise<void> {
  await fresh.database.query(`UPDATE backtests SET leased_until = '-infinity' WHERE backtest = $1`, [id]);
}

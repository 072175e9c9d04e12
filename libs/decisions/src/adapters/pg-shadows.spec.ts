import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShardedId } from '#kernel';
import { Database } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { SHADOW_LIMITS } from '../history/follow-shadow.js';
import type { ShadowStanding } from '../history/shadow.js';
import type { TallyJson } from '../history/tally.js';
import { activate, live, liveOnAllowances, SMALL_LIMITS } from '../testing/lived-history.js';
import { addSubjects } from '../testing/subjects.js';
import { backtestDesk, backtestRunner, shadowDesk, shadowFollower } from './backtests.js';

const NO_DIFFERENCE = { outcome: 0, computed: 0, discount: 0, reasons: 0, counters: 0 };

let fresh: FreshDatabase;
let subjects: ShardedId[];
let more: ShardedId[];

const draft = async (version: number, change: object) => {
  const life = policyLife(fresh.database);
  await life.draft(policyInput({ version, limits: SMALL_LIMITS, ...change }), 'ann', new Date());
  await life.shadow(BigInt(version), 'ben', new Date());
};
const STRICT = { limits: [{ id: 'all-day', window: 'DAY' as const, scope: 'SUBJECT' as const, amount: '120.00' }] };
const report = (version: number): Promise<ShadowStanding> => shadowDesk(fresh.database).report(BigInt(version));
const decisionsOf = async (): Promise<number> =>
  Number((await fresh.database.query<{ count: bigint }>('SELECT count(*) FROM decisions'))[0]!.count);
const rowsLeft = async (version: number): Promise<number> => {
  const tables = ['shadow_subjects', 'shadow_usage', 'shadow_holds'].map((table) => `(SELECT count(*) FROM ${table} WHERE version = $1)`);
  return Number((await fresh.database.query<{ sum: bigint }>(`SELECT ${tables.join(' + ')} AS sum`, [version]))[0]!.sum);
};

beforeAll(async () => {
  fresh = await freshDatabase();
  await activate(fresh.database, 1);
  subjects = await addSubjects(fresh.database, 40);
  await live(fresh.database, subjects, 300, 'before');
  more = await addSubjects(fresh.database, 8);
  await liveOnAllowances(fresh.database, more);
});
afterAll(() => fresh.close());

describe('a shadow', () => {
  let before: number;

  it('of the active version itself finds no difference, to the last counter, though it began in the middle of every window', async () => {
    before = await decisionsOf();
    await draft(2, {});
    await draft(3, STRICT);
    await live(fresh.database, subjects, 250, 'during');
    const { eventsPerStep } = SHADOW_LIMITS;
    SHADOW_LIMITS.eventsPerStep = 3;
    try {
      for (let taken = 1; taken > 0;) taken = await shadowFollower(fresh.database).run();
    } finally {
      SHADOW_LIMITS.eventsPerStep = eventsPerStep;
    }
    await live(fresh.database, subjects, 150, 'later');
    await liveOnAllowances(fresh.database, more);
    await shadowFollower(fresh.database).run();
    const { decided, behind } = await report(2);
    expect(behind).toBe(0n);
    expect(decided.decisions.count).toBe((await decisionsOf()) - before);
    expect(decided.differing).toEqual(NO_DIFFERENCE);
  });

  it('finds what a back-test finds of the same time', async () => {
    const shadowed = (await report(3)).decided;
    expect(shadowed.differing.outcome).toBeGreaterThan(20);
    expect(await backtested(3)).toEqual(shadowed);
  });

  it('counts once what several workers follow at once, while some of them die', async () => {
    await live(fresh.database, subjects, 200, 'crowded');
    const workers = Array.from({ length: 6 }, async (_, i) => {
      const passed = { left: 5 * i };
      const database = await Database.open(fresh.url, 4, () => {
        if (i > 2 && --passed.left === 0) throw new Error('killed');
      });
      const follower = shadowFollower(database);
      await follower.run().catch(() => undefined);
      await database.close();
    });
    await Promise.all(workers);
    for (let taken = 1; taken > 0;) taken = await shadowFollower(fresh.database).run();
    const { decided, behind } = await report(3);
    expect(behind).toBe(0n);
    expect(decided.decisions.count).toBe((await decisionsOf()) - before);
    expect((await report(2)).decided.differing).toEqual(NO_DIFFERENCE);
    expect(await backtested(3)).toEqual(decided);
  });

  it('ends with the approval, with its last decision compared and its counters gone', async () => {
    await live(fresh.database, subjects, 50, 'at the end');
    const compared = (await decisionsOf()) - before;
    await policyLife(fresh.database).approve(3n, 'ben', new Date());
    await live(fresh.database, subjects, 50, 'too late');
    await shadowFollower(fresh.database).run();
    await shadowFollower(fresh.database).run();
    expect(await report(3)).toMatchObject({ state: 'APPROVED', behind: 0n, decided: { decisions: { count: compared } } });
    expect(await rowsLeft(3)).toBe(0);
    expect(await rowsLeft(2)).toBeGreaterThan(0);
    expect((await report(2)).decided.differing).toEqual(NO_DIFFERENCE);
  });

  it('has no report where there was none', async () => {
    await expect(report(1)).rejects.toMatchObject({ code: 'policy.no_shadow' });
    await expect(report(77)).rejects.toMatchObject({ code: 'policy.unknown' });
  });
});

/** The same version over the same decisions: nothing was decided between the shadow's beginning and the first decision after it. */
async function backtested(version: number): Promise<TallyJson> {
  const { since } = await report(version);
  const desk = backtestDesk(fresh.database);
  const ask = { policy: { version: BigInt(version) }, from: since, to: undefined, assume: 'CONFIRMED', begin: 'CONTINUE' } as const;
  const { id } = await desk.request(ask, 'test', new Date(), randomBytes(10));
  expect(await backtestRunner(fresh.database).run(id)).toBe('DONE');
  return (JSON.parse((await desk.get(id)).report!) as { found: TallyJson }).found;
}

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ShardedId, systemClock } from '#kernel';
import type { Database, Tx } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { LinkedDecider } from '../decide-linked.js';
import type { LinkedAsk } from '../linked.js';
import { StandingCache } from '../standing-cache.js';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';
import { NodeSources } from './node-sources.js';
import { PgLinkedGroups } from './pg-linked-groups.js';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';

let fresh: FreshDatabase;
let live: Awaited<ReturnType<typeof liveDecider>>;
let subject: ShardedId;

beforeAll(async () => {
  fresh = await freshDatabase();
  await new PgPolicies(fresh.database).activate(policyInput(), { author: 'ann', approver: 'ben' }, new Date());
  live = await liveDecider(fresh.database);
});
afterAll(() => fresh.close());

type Item = Parameters<typeof requestOf>[1];
const askOf = (items: readonly Item[], key: string = randomUUID()): LinkedAsk => ({
  subject,
  caller: 'checkout-service',
  key,
  requests: items.map((item) => requestOf(subject, item)),
});
const decide = (items: readonly Item[], key?: string) => live.linked.decide(askOf(items, key));
const outcomes = ({ results }: Awaited<ReturnType<typeof decide>>['answer']) =>
  results.map((result) => ('answer' in result ? result.answer.outcome : result.problem.code));

/** What the subject has on hold, is decided about and has groups of. */
async function kept() {
  const [row] = await fresh.database.query<{ holds: bigint; decisions: bigint; groups: bigint; facts: bigint }>(
    `SELECT (SELECT count(*) FROM reservations WHERE subject = $1 AND state = 'RESERVED') AS holds,
            (SELECT count(*) FROM decisions WHERE subject = $1) AS decisions,
            (SELECT count(*) FROM linked_groups WHERE subject = $1) AS groups,
            (SELECT count(*) FROM facts WHERE subject = $1 AND kind = 'decisions.linked') AS facts`,
    [subject.uuid],
  );
  return Object.values(row!).map(Number);
}

async function newSubject(score?: number): Promise<void> {
  subject = (await addSubjects(fresh.database, 1, score))[0]!;
}

describe('a linked group', () => {
  it('is reserved whole, later items seeing the earlier ones, and answers its key again', async () => {
    await newSubject();
    const [key, items] = [randomUUID(), [{ minor: 100_000n }, { minor: 20_000n, service: 'pay-later' }, { minor: 1n }]];
    const first = await decide(items, key);
    expect(first.answer).toMatchObject({ outcome: 'RESERVED', failed: [] });
    expect(first.answer.results).toMatchObject([
      { answer: { reservation: {}, limits: [{}, { reserved: '1000.00' }, { reserved: '1000.00' }] } },
      { answer: { reservation: {} } },
      { answer: { reservation: {}, limits: [{}, { reserved: '1000.01' }, { reserved: '1200.01' }] } },
    ]);
    expect(await kept()).toEqual([3, 3, 1, 1]);
    expect(await decide(items, key)).toEqual({ answer: JSON.parse(JSON.stringify(first.answer)) as object, replayed: true });
    await expect(decide(items.slice(1), key)).rejects.toMatchObject({ code: 'idempotency.key_reused' });
    expect(await kept()).toEqual([3, 3, 1, 1]);
  });

  it('is refused whole where one item is denied by itself: that one leaves its decision, the others nothing', async () => {
    await newSubject(600);
    const key = randomUUID();
    const items = [{ minor: 100n }, { minor: 100n, service: 'pay-later' }, { minor: 100n }];
    const { answer } = await decide(items, key);
    expect([answer.outcome, answer.failed, outcomes(answer)]).toEqual(['REFUSED', [1], ['linked.refused', 'DENY', 'linked.refused']]);
    expect(answer.results[1]).toMatchObject({ answer: { decisionId: expect.any(String), reasons: [{ code: 'score.below_minimum' }] } });
    expect(answer.results[0]).toMatchObject({ problem: { status: 409, detail: expect.stringContaining('item 1') } });
    expect(await kept()).toEqual([0, 1, 1, 1]);
    expect(await decide(items, key)).toMatchObject({ replayed: true, answer: { outcome: 'REFUSED', failed: [1] } });
  });

  it('is refused where only its sum is too much, and leaves no decision that the ledger alone would not have made', async () => {
    await newSubject();
    const { answer } = await decide([{ minor: 150_000n }, { minor: 150_000n }, { minor: 150_000n }, { minor: 150_000n }]);
    expect([answer.outcome, answer.failed]).toEqual(['REFUSED', [3]]);
    expect(answer.results[3]).toMatchObject({ answer: { outcome: 'DENY', reasons: [{ code: 'limit.exceeded' }, {}] } });
    expect(answer.results[3]).not.toHaveProperty('answer.decisionId', expect.any(String));
    expect(await kept()).toEqual([0, 0, 1, 1]);
    expect((await decide([{ minor: 150_000n }, { minor: 150_000n }, { minor: 150_000n }])).answer.outcome).toBe('RESERVED');
  });

  it('names every item that it cannot judge, and remembers nothing of it', async () => {
    await newSubject();
    await live.decider.decide({ caller: 'a', key: randomUUID(), request: requestOf(subject, { paymentReference: 'TAKEN' }) });
    const before = await kept();
    const unknown = await decide([{}, { service: 'teleport' }, { money: { minor: 1n, currency: 'EUR' } }]);
    expect(unknown.answer.failed).toEqual([1, 2]);
    expect(unknown.answer.results).toMatchObject([
      { problem: { code: 'linked.refused' } },
      { problem: { code: 'service.unknown', status: 422, field: '/items/1/service' } },
      { problem: { code: 'currency.unsupported', field: '/items/2/amount/currency' } },
    ]);
    const taken = await decide([{}, { paymentReference: 'TAKEN' }]);
    expect([taken.answer.failed, outcomes(taken.answer)]).toEqual([[1], ['linked.refused', 'payment_reference.taken']]);
    const twice = await decide([{ paymentReference: 'NEW' }, { paymentReference: 'NEW' }]);
    expect([twice.answer.failed, outcomes(twice.answer)]).toEqual([[1], ['linked.refused', 'payment_reference.taken']]);
    expect(await kept()).toEqual(before);
  });

  it('never half: many processes race for room that is enough for some of them', async () => {
    await newSubject();
    const others = await Promise.all([liveDecider(fresh.database), liveDecider(fresh.database)]);
    const groups = Array.from({ length: 12 }, (_, i) => {
      const ask = askOf([{ minor: 100_000n }, { minor: 1_000n, service: 'pay-later' }, { minor: 60_000n }]);
      // Every group is sent twice, by two processes.
      return Promise.all([live.linked.decide(ask), others[i % 2]!.linked.decide(ask)]);
    });
    const decided = await Promise.all(groups);
    for (const [a, b] of decided) expect(JSON.stringify(a!.answer)).toBe(JSON.stringify(b!.answer));
    expect(decided.filter(([one]) => one!.answer.outcome === 'RESERVED')).toHaveLength(3);
    expect((await kept()).slice(0, 1)).toEqual([9]);
  });

  it.each<[what: string, lose: (sql: string) => 'before' | 'after' | undefined, known: boolean]>([
    [
      'whose commit was lost is looked up, not sent again',
      (sql) => (sql.startsWith('INSERT INTO linked_groups') ? 'after' : undefined),
      true,
    ],
    [
      'that was lost before its commit is unknown, and nothing is held',
      (sql) => (sql.includes('reserve_batch') ? 'before' : undefined),
      false,
    ],
  ])('%s', async (_what, lose, known) => {
    await newSubject();
    const broken = new LinkedDecider(
      live.active,
      new StandingCache(new PgStandingReader(fresh.database)),
      new PgLinkedGroups(losing(fresh.database, lose)),
      new NodeSources(systemClock),
    );
    const ask = askOf([{ minor: 100n }, { minor: 200n }]);
    const work = broken.decide(ask);
    if (known) expect(await work).toMatchObject({ answer: { outcome: 'RESERVED' } });
    else await expect(work).rejects.toMatchObject({ code: 'outcome.unknown' });
    expect(await kept()).toEqual(known ? [2, 2, 1, 1] : [0, 0, 0, 0]);
    expect((await live.linked.decide(ask)).replayed).toBe(known);
    expect(await kept()).toEqual([2, 2, 1, 1]);
  });
});

/** A database whose connection breaks once: before a statement's effect, or after the commit that followed it. */
function losing(database: Database, lose: (sql: string) => 'before' | 'after' | undefined): Database {
  let armed = true;
  const transaction = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    let lost = false;
    const result = await database.transaction((tx) =>
      work({
        ...tx,
        query: async (sql: string, params?: readonly unknown[], name?: string) => {
          const when = armed ? lose(sql) : undefined;
          if (when) armed = false;
          if (when === 'before') throw new Error('Connection terminated unexpectedly');
          lost ||= when === 'after';
          return await tx.query(sql, params, name);
        },
      } as Tx),
    );
    if (lost) throw new Error('Connection terminated unexpectedly');
    return result;
  };
  return { query: database.query.bind(database), transaction } as unknown as Database;
}

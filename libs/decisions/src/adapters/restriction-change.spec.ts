import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DecisionAnswer } from '#contract';
import { type ShardedId, systemClock } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { Restrictions, ReviewDue, type Sanction } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';

const callersPerProcess = 8;
const rounds = 6;
const about = { reason: { code: 'CASE', text: 'seen' }, evidence: { digest: 'c'.repeat(64), reference: 'case-1' } };

let fresh: FreshDatabase;
let processes: Awaited<ReturnType<typeof liveDecider>>[];
let subject: ShardedId;
let flow: Restrictions;

beforeAll(async () => {
  fresh = await freshDatabase();
  await policyLife(fresh.database).adopt(policyInput(), { author: 'ann', approver: 'ben' }, new Date());
  subject = (await addSubjects(fresh.database, 1))[0]!;
  processes = await Promise.all([liveDecider(fresh.database), liveDecider(fresh.database)]);
  flow = new Restrictions(new PgExchange(fresh.database), nodeClerk, systemClock);
});
afterAll(() => fresh.close());

const decide = async (i: number, mode: 'EVALUATE' | 'RESERVE'): Promise<DecisionAnswer> => {
  const request = requestOf(subject, { mode, minor: 1n });
  return (await processes[i % processes.length]!.decider.decide({ caller: 'test', key: randomUUID(), request })).answer;
};

/** Limits may say no, too; here only the restriction is of interest. */
const isStopped = ({ reasons }: DecisionAnswer) => reasons.some(({ code }) => code === 'restriction.service_stop');

async function impose(sanction: Sanction): Promise<string> {
  const known = await restrictionIds();
  await flow.order(subject, { order: { action: { kind: 'IMPOSE', sanction }, ...about }, by: 'ann', key: randomUUID() });
  return (await restrictionIds()).find((id) => !known.includes(id))!;
}

async function lift(restriction: string): Promise<void> {
  const { request } = await flow.order(subject, {
    order: { action: { kind: 'LIFT', restriction }, ...about },
    by: 'ann',
    key: randomUUID(),
  });
  await flow.decide(subject, request.id, true, 'ben');
}

async function restrictionIds(): Promise<string[]> {
  const [standing] = await new PgStandingReader(fresh.database).load([subject]);
  return standing!.restrictions.map(({ id }) => id);
}

async function asOwner(sql: string): Promise<void> {
  const client = new pg.Client(fresh.url);
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** How often the restriction was changed before, when the change was acknowledged: odd while it stands. */
interface Seen {
  readonly stopped: boolean;
  readonly acknowledged: number;
  readonly begunAfter: number;
}

it('no decision that is asked after a restriction or its lifting was acknowledged is made on the standing before', async () => {
  const seen: Seen[] = [];
  let [begun, acknowledged, running] = [0, 0, true];
  const caller = async (i: number) => {
    for (let n = i; running; n++) {
      const before = acknowledged;
      const stopped = isStopped(await decide(i, n % 3 === 0 ? 'EVALUATE' : 'RESERVE'));
      seen.push({ stopped, acknowledged: before, begunAfter: begun });
    }
  };
  const callers = Array.from({ length: callersPerProcess * processes.length }, (_, i) => caller(i));
  const seenSince = async (count: number) => {
    const enough = seen.length + count;
    while (seen.length < enough) await new Promise((resolve) => setImmediate(resolve));
  };
  for (let round = 0; round < rounds; round++) {
    await seenSince(50);
    begun++;
    const id = await impose({ step: 'SERVICE_STOP', services: ['checkout'] });
    acknowledged++;
    await seenSince(50);
    begun++;
    await lift(id);
    acknowledged++;
  }
  await seenSince(50);
  running = false;
  await Promise.all(callers);

  // Where no change was on its way while a decision was asked, there is one right answer.
  const settled = seen.filter(({ acknowledged: at, begunAfter }) => at === begunAfter);
  expect(settled.filter(({ stopped, acknowledged: at }) => stopped !== (at % 2 === 1))).toEqual([]);
  for (const stopped of [true, false]) expect(settled.filter((one) => one.stopped === stopped).length).toBeGreaterThan(50);
});

it('a restriction ends for decisions at its very second, with no sweep, and again after one', async () => {
  const id = await impose({ step: 'SERVICE_STOP', services: [], days: 1 });
  const endsIn = async (ms: number) => {
    // As its owner: no application may change a term.
    await asOwner(
      `UPDATE restrictions SET ends_at = date_trunc('milliseconds', clock_timestamp()) + ${ms} * interval '1 ms' WHERE id = '${id}';
       UPDATE standings SET version = version + 1, next_change_at = (SELECT ends_at FROM restrictions WHERE id = '${id}')
        WHERE subject = '${subject.uuid}'`,
    );
    const [row] = await fresh.database.query<{ ends_at: Date }>('SELECT ends_at FROM restrictions WHERE id = $1', [id]);
    return row!.ends_at;
  };
  expect(isStopped(await decide(0, 'RESERVE'))).toBe(true);
  const end = await endsIn(400);
  const answers: DecisionAnswer[] = [];
  do answers.push(await decide(answers.length, 'RESERVE'));
  while (isStopped(answers.at(-1)!));
  const wrong = answers.filter((answer) => isStopped(answer) !== new Date(answer.decidedAt) < end);
  expect([wrong, answers.length > 1]).toEqual([[], true]);
  expect(await restrictionIds()).toContain(id);
  const review = () => new ReviewDue(new PgExchange(fresh.database), nodeClerk, systemClock);
  await Promise.all([review().run(), review().run()]);
  expect(await restrictionIds()).not.toContain(id);
  expect(isStopped(await decide(0, 'RESERVE'))).toBe(false);
  const lifted = await fresh.database.query(
    `SELECT FROM facts WHERE subject = $1 AND kind = 'restriction.lifted' AND body LIKE '%ENDED%'`,
    [subject.uuid],
  );
  expect(lifted).toHaveLength(1);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DecisionAnswer } from '#contract';
import type { ShardedId } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';

/** Each version says something of its own, so that an answer shows which one it was made with. */
const DAY_LIMITS = ['10000.00', '20000.00', '30000.00', '40000.00', '50000.00', '60000.00'];
const callersPerProcess = 12;

let fresh: FreshDatabase;
let processes: Awaited<ReturnType<typeof liveDecider>>[];
let subjects: ShardedId[];

const policy = (version: number) =>
  policyInput({ version, limits: [{ id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: DAY_LIMITS[version - 1]! }] });

beforeAll(async () => {
  fresh = await freshDatabase();
  const life = policyLife(fresh.database);
  await life.adopt(policy(1), { author: 'ann', approver: 'ben' }, new Date());
  for (let version = 2; version <= DAY_LIMITS.length; version++) {
    await life.draft(policy(version), 'ann', new Date());
    await life.approve(BigInt(version), 'ben', new Date());
  }
  subjects = await addSubjects(fresh.database, 40);
  processes = await Promise.all([liveDecider(fresh.database), liveDecider(fresh.database)]);
});
afterAll(() => fresh.close());

interface Seen {
  readonly answer: DecisionAnswer;
  /** The version whose activation had been acknowledged when this was asked. */
  readonly atLeast: number;
}

it('an activation while decisions run tears none of them, and none asked afterwards is made on the version before', async () => {
  const life = policyLife(fresh.database);
  const seen: Seen[] = [];
  let acknowledged = 1;
  let running = true;
  const caller = async (i: number) => {
    const { decider } = processes[i % processes.length]!;
    for (let n = i; running; n++) {
      const atLeast = acknowledged;
      const mode = n % 3 === 0 ? 'EVALUATE' : 'RESERVE';
      const request = requestOf(subjects[n % subjects.length]!, { mode, minor: 1n });
      seen.push({ answer: (await decider.decide({ caller: 'test', key: randomUUID(), request })).answer, atLeast });
    }
  };
  const callers = Array.from({ length: callersPerProcess * processes.length }, (_, i) => caller(i));
  for (let version = 2; version <= DAY_LIMITS.length; version++) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    await life.activate(BigInt(version), 'ben', new Date());
    acknowledged = version;
  }
  await new Promise((resolve) => setTimeout(resolve, 150));
  running = false;
  await Promise.all(callers);

  expect(new Set(seen.map(({ answer }) => answer.policy.version)).size).toBe(DAY_LIMITS.length);
  expect(seen.filter(({ answer, atLeast }) => Number(answer.policy.version) < atLeast)).toEqual([]);
  const torn = seen.filter(({ answer }) => {
    const day = answer.limits.find(({ id }) => id === 'all-day');
    return day && day.limit !== DAY_LIMITS[Number(answer.policy.version) - 1];
  });
  expect(torn).toEqual([]);
});

it('on each shard the versions of saved decisions only ever go up', async () => {
  const rows = await fresh.database.query<{ backwards: bigint; all: bigint }>(
    `SELECT count(*) FILTER (WHERE policy_version < before) AS backwards, count(*) AS all
       FROM (SELECT policy_version, lag(policy_version) OVER (PARTITION BY shard ORDER BY seq) AS before FROM decisions) AS d`,
  );
  expect(rows[0]).toMatchObject({ backwards: 0n });
  expect(Number(rows[0]!.all)).toBeGreaterThan(100);
});

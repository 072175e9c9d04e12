import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DecisionAnswer } from '#contract';
import { formatId, type ShardedId, systemClock } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { jtiOf, performance, verified, violation } from '#records/testing/records';
import { AcceptRecord, Disputes, Subjects } from '#standing';
import { createNotary, nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { receiptSigner } from '#standing/testing/exchange-world';
import type { AffectedDecisions } from '../dispute/affected-decisions.js';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { affectedDecisions } from './pg-affected-decisions.js';

/** Disputes and decisions meet on PostgreSQL: two deciding processes, one exchange. */

const DAY_MS = 86_400_000;
const STEEP = { name: 'steep', mode: 'enforce' as const, minimumScore: 560, limits: [] };

let fresh: FreshDatabase;
let processes: Awaited<ReturnType<typeof liveDecider>>[];
let subjects: Subjects;
let accept: AcceptRecord;
let disputes: Disputes;
let affected: AffectedDecisions;
let n = 0;

beforeAll(async () => {
  fresh = await freshDatabase();
  const { services } = policyInput();
  const policy = policyInput({ services: [...services, STEEP], disputes: { score: 'EXCLUDE', restrictions: 'SUSPEND' } });
  await policyLife(fresh.database).adopt(policy, { author: 'ann', approver: 'ben' }, new Date());
  const exchange = new PgExchange(fresh.database);
  processes = await Promise.all([liveDecider(fresh.database), liveDecider(fresh.database)]);
  subjects = new Subjects(exchange, nodeClerk, systemClock);
  accept = new AcceptRecord(
    exchange,
    createNotary('https://gateway.test', () => receiptSigner),
    systemClock,
  );
  disputes = new Disputes(exchange, nodeClerk, systemClock);
  affected = affectedDecisions(fresh.database);
});
afterAll(() => fresh.close());

async function customer(): Promise<{ subject: ShardedId; ref: ShardedId }> {
  const { id: subject } = await subjects.register({ caller: 'test', key: `key-${++n}`, kind: 'INDIVIDUAL' });
  return { subject, ref: (await subjects.link(subject, { participant: 'bank-a' })).link.ref };
}

async function report(ref: ShardedId, body: object): Promise<string> {
  const at = new Date();
  const head = { iss: 'bank-a', sub: formatId('lnk', ref), jti: jtiOf(++n), seq: n, iat: Math.floor(at.getTime() / 1_000) };
  const times = { asOf: at.toISOString(), validUntil: new Date(at.getTime() + 90 * DAY_MS).toISOString() };
  await accept.run('bank-a', await verified({ ...head, ...times, ...body } as never));
  return head.jti;
}

const decide = async (i: number, subject: ShardedId, service = 'checkout'): Promise<DecisionAnswer> => {
  const request = requestOf(subject, { minor: 1n, service });
  return (await processes[i % processes.length]!.decider.decide({ caller: 'test', key: randomUUID(), request })).answer;
};

const open = (subject: ShardedId, jti: string, code: 'PAID' | 'DID_NOT_HAPPEN' = 'PAID') =>
  disputes.open(subject, {
    openedBy: 'SUBJECT',
    caller: 'test',
    key: `key-${++n}`,
    code,
    statementDigest: n.toString(16).padStart(64, '0'),
    record: { iss: 'bank-a', jti },
  });
const answer = ({ id, subject }: { id: string; subject: ShardedId }, word: 'VERIFIED' | 'WITHDRAWN') =>
  disputes.answer(
    'bank-a',
    { shard: subject.shard, uuid: id },
    word === 'VERIFIED' ? { answer: word, evidenceDigest: 'e'.repeat(64) } : { answer: word },
    { participant: 'bank-a', body: new Uint8Array() },
  );
const bad = (i: number) => ({ kind: 'performance', performance: { ...performance('97', '900.00', 'L6543'), account: `a${i}` } });

it('no decision that is asked after a dispute or its end was acknowledged is made on the standing before', async () => {
  const { subject, ref } = await customer();
  const seen: { flagged: boolean; acknowledged: number; begunAfter: number }[] = [];
  let [begun, acknowledged, running] = [0, 0, true];
  const caller = async (i: number) => {
    while (running) {
      const before = acknowledged;
      const { score } = await decide(i, subject);
      seen.push({ flagged: score.disputed === true, acknowledged: before, begunAfter: begun });
    }
  };
  const callers = Array.from({ length: 8 }, (_, i) => caller(i));
  const more = async (count: number) => {
    for (const enough = seen.length + count; seen.length < enough;) await new Promise((resolve) => setImmediate(resolve));
  };
  for (let round = 0; round < 5; round++) {
    const jti = await report(ref, bad(round));
    await more(30);
    begun++;
    const { dispute } = await open(subject, jti);
    acknowledged++;
    await more(30);
    begun++;
    await answer(dispute, 'VERIFIED');
    acknowledged++;
  }
  await more(30);
  running = false;
  await Promise.all(callers);
  const settled = seen.filter(({ acknowledged: at, begunAfter }) => at === begunAfter);
  expect(settled.filter(({ flagged, acknowledged: at }) => flagged !== (at % 2 === 1))).toEqual([]);
  for (const flagged of [true, false]) expect(settled.filter((one) => one.flagged === flagged).length).toBeGreaterThan(20);
});

it('lists the decisions that used a record: after it came, not while it counted for nothing, until it ended', async () => {
  const { subject, ref } = await customer();
  await decide(0, subject);
  const jti = await report(ref, bad(1));
  const used = [(await decide(0, subject)).decisionId, (await decide(1, subject)).decisionId];
  const { dispute } = await open(subject, jti);
  await decide(0, subject);
  await answer(dispute, 'VERIFIED');
  used.push((await decide(0, subject)).decisionId);
  const { dispute: second } = await disputes.open(subject, {
    ...{ openedBy: 'FURNISHER', caller: 'bank-a', code: 'INACCURATE', record: { iss: 'bank-a', jti } },
  });
  await answer(second, 'WITHDRAWN');
  await decide(0, subject);
  const id = { shard: subject.shard, uuid: second.id };
  const { decisions, next } = await affected.list(id);
  expect(decisions.map(({ shard, decision }) => formatId('dec', { shard, uuid: decision }))).toEqual(used);
  expect(next).toBeUndefined();
  expect((await affected.list(id, decisions[1]!.seq)).decisions).toEqual([decisions[2]]);
});

it('decides them again without what a withdrawn violation cost, also where a later one climbed for it', async () => {
  const { subject, ref } = await customer();
  const before = (days: number) => new Date(Date.now() - days * DAY_MS);
  const jti = await report(ref, { kind: 'violation', violation: violation('SEVERE', before(3)) });
  await report(ref, { kind: 'violation', violation: violation('MINOR', before(2)) });
  const stopped = await decide(0, subject);
  const late = await decide(1, subject, 'pay-later');
  expect([stopped.outcome, late.outcome]).toEqual(['DENY', 'DENY']);
  const { dispute } = await open(subject, jti, 'DID_NOT_HAPPEN');
  // The minor one alone stops pay-later and nothing else.
  expect([(await decide(0, subject)).outcome, (await decide(1, subject, 'pay-later')).outcome]).toEqual(['ALLOW', 'DENY']);
  await answer(dispute, 'WITHDRAWN');
  const redecided = (await affected.redecide({ shard: subject.shard, uuid: dispute.id }, 'test')).decisions;
  expect(redecided.map(({ was, would, isOther }) => [was.outcome, would?.outcome, isOther])).toEqual([
    ['DENY', 'ALLOW', true],
    ['DENY', 'DENY', false],
  ]);
  const real = await decide(0, subject);
  expect(redecided[0]!.would!.score).toBe(real.score.value);
});

it('changes no row of any decision, reservation or counter, and says in the log that it was done', async () => {
  const { subject, ref } = await customer();
  const jti = await report(ref, bad(1));
  expect((await decide(0, subject, 'steep')).outcome).toBe('ALLOW');
  const { dispute } = await open(subject, jti);
  await answer(dispute, 'WITHDRAWN');
  const state = () =>
    fresh.database.query(
      `SELECT (SELECT json_agg(d ORDER BY seq) FROM decisions d WHERE d.shard = $1 AND d.subject = $2)::text AS decisions,
              (SELECT json_agg(r ORDER BY reservation) FROM reservations r WHERE r.shard = $1 AND r.subject = $2)::text AS reservations,
              (SELECT json_agg(u ORDER BY counter, window_start) FROM usage u WHERE u.shard = $1 AND u.subject = $2)::text AS usage,
              (SELECT version FROM standings s WHERE s.shard = $1 AND s.subject = $2) AS version`,
      [subject.shard, subject.uuid],
    );
  const kept = await state();
  const id = { shard: subject.shard, uuid: dispute.id };
  const twice = [await affected.redecide(id, 'test'), await affected.redecide(id, 'test')];
  expect(await state()).toEqual(kept);
  expect(twice[0]!.decisions).toEqual(twice[1]!.decisions);
  const facts = await fresh.database.query<{ body: string }>(`SELECT body FROM facts WHERE subject = $1 AND kind = 'dispute.reevaluated'`, [
    subject.uuid,
  ]);
  expect(facts.map(({ body }) => (JSON.parse(body) as { decisions: number }).decisions)).toEqual([1, 1]);
  expect(facts[0]!.body).toBe(facts[1]!.body);
});

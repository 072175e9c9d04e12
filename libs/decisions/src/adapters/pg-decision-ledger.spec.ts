import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalize } from '#evidence';
import { parseId, type ShardedId, SHARDS } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { policyInput } from '#policies/testing/house-policy';
import type { DecisionRequest } from '../decision.js';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';
import { ExpirySweep } from './expiry-sweep.js';
import { PgDecisionFacts } from './pg-decision-facts.js';
import { PgPaymentFinder } from './pg-payment-finder.js';

const SIGNATURES = { author: 'ann', approver: 'ben' };

let fresh: FreshDatabase;
let live: Awaited<ReturnType<typeof liveDecider>>;
let subject: ShardedId;

const ask = (request: DecisionRequest, key: string = randomUUID()) => ({ caller: 'checkout-service', key, request });
const decide = async (request: DecisionRequest, key?: string) => (await live.decider.decide(ask(request, key))).answer;
const newSubject = async (score?: number) => (await addSubjects(fresh.database, 1, score))[0]!;
const confirm = (reservationId: string, minor?: bigint) =>
  live.settler.settle({
    caller: 'checkout-service',
    reservation: parseId('rsv', reservationId),
    settlement: { kind: 'confirm', money: minor === undefined ? undefined : { minor, currency: 'CNY' } },
    key: undefined,
  });

beforeAll(async () => {
  fresh = await freshDatabase();
  const first = await liveDecider(fresh.database).catch(() => undefined);
  expect(first).toBeUndefined();
  const { PgPolicies } = await import('#policies/adapters/pg-policies');
  await new PgPolicies(fresh.database).activate(policyInput(), SIGNATURES, new Date());
  live = await liveDecider(fresh.database);
});
afterAll(() => fresh.close());

describe('a reservation on PostgreSQL', () => {
  it('is allowed, told with its limits, and kept as a fact', async () => {
    subject = await newSubject();
    const answer = await decide(requestOf(subject, { minor: 19_900n }));
    expect(answer).toMatchObject({
      outcome: 'ALLOW',
      tier: 'EXCELLENT',
      discount: { rate: '2', amount: '3.98', rule: 'excellent-checkout' },
      policy: { id: 'house', version: '1' },
      limits: [
        { id: 'checkout-one', window: 'TRANSACTION', limit: '2000.00' },
        {
          id: 'checkout-day',
          limit: '5000.00',
          used: '0.00',
          reserved: '199.00',
          available: '4801.00',
          count: { limit: 20, taken: 1, available: 19 },
        },
        { id: 'all-day', limit: '10000.00', reserved: '199.00', available: '9801.00' },
      ],
    });
    const id = parseId('dec', answer.decisionId!);
    const [[fact] = []] = await new PgDecisionFacts(fresh.database).read([{ shard: id.shard, afterSeq: 0n, upToSeq: 10n }]);
    expect(fact).toMatchObject({ kind: 'decision.made', subject: subject.uuid, body: { decision: id.uuid, outcome: 'ALLOW' } });
    const row = await live.ledger.findById(id);
    expect(canonicalize(JSON.parse(row!.details))).toBe(row!.details);
  });

  it('answers a repeated key with the first answer, and refuses it for another input', async () => {
    const mine = await newSubject();
    const request = requestOf(mine);
    const first = await live.decider.decide(ask(request, 'key-0001'));
    const again = await live.decider.decide(ask(request, 'key-0001'));
    expect(again).toEqual({ answer: first.answer, replayed: true });
    await expect(live.decider.decide(ask({ ...request, money: { minor: 1n, currency: 'CNY' } }, 'key-0001'))).rejects.toMatchObject({
      code: 'idempotency.key_reused',
    });
    const other = await liveDecider(fresh.database);
    expect((await other.decider.decide(ask(request, 'key-0001'))).answer).toEqual(first.answer);
  });

  it('never overspends a hot subject, whoever asks, and declines nothing while there is room', async () => {
    const hot = await newSubject();
    const processes = await Promise.all([liveDecider(fresh.database), liveDecider(fresh.database), liveDecider(fresh.database)]);
    const keys = Array.from({ length: 40 }, () => randomUUID());
    const answers = await Promise.all(
      [...keys, ...keys, ...keys].map((key, i) => processes[i % 3]!.decider.decide(ask(requestOf(hot, { minor: 40_000n }), key))),
    );
    const allowed = new Set(answers.filter(({ answer }) => answer.outcome === 'ALLOW').map(({ answer }) => answer.decisionId));
    expect(allowed.size).toBe(12);
    expect(new Set(answers.map(({ answer }) => answer.decisionId)).size).toBe(40);
    const [usage] = await fresh.database.query<{ reserved: bigint }>(
      `SELECT reserved_minor AS reserved FROM usage WHERE shard = $1 AND subject = $2 AND counter LIKE 'checkout-day%'`,
      [hot.shard, hot.uuid],
    );
    expect(usage!.reserved).toBe(480_000n);
  });

  it('numbers decisions and facts of a shard without a gap', async () => {
    const rows = await fresh.database.query<{ shard: number; gapless: boolean }>(
      `SELECT h.shard, count(s.seq) = h.last_seq AND coalesce(max(s.seq), 0) = h.last_seq AS gapless
         FROM shard_heads h LEFT JOIN (SELECT shard, seq FROM facts UNION ALL SELECT shard, seq FROM decisions) s USING (shard)
        GROUP BY h.shard, h.last_seq`,
    );
    expect(rows).toHaveLength(32);
    expect(rows.every(({ gapless }) => gapless)).toBe(true);
  });

  it('counts transactions, names the tightest limit, and REVIEW reserves too', async () => {
    const low = await newSubject(500);
    expect(await decide(requestOf(low, { minor: 20_001n }))).toMatchObject({
      outcome: 'DENY',
      reasons: [{ code: 'limit.transaction_exceeded' }],
    });
    for (let i = 0; i < 20; i++) expect((await decide(requestOf(low, { minor: 100n }))).outcome).toBe('ALLOW');
    const full = await decide(requestOf(low, { minor: 100n }));
    expect(full.outcome).toBe('DENY');
    expect(full.reasons[0]).toMatchObject({
      code: 'limit.exceeded',
      source: 'limit checkout-day',
      text: expect.stringMatching(/20 transactions/),
    });
    expect(full.reservation).toBeUndefined();
    const review = await decide(requestOf(await newSubject(), { minor: 150_001n }));
    expect(review).toMatchObject({ outcome: 'REVIEW', reasons: [{ code: 'amount.review' }] });
    expect(review.reservation).toBeDefined();
  });

  it('advises without binding where the service is advisory', async () => {
    const mine = await newSubject();
    const request = requestOf(mine, { service: 'marketplace', minor: 9_000n, counterparty: 'shop-1' });
    expect(await decide(request)).toMatchObject({ outcome: 'ALLOW', computedOutcome: 'ALLOW' });
    const second = await decide(request);
    expect(second).toMatchObject({ outcome: 'ALLOW', computedOutcome: 'DENY' });
    expect(second.reasons[0]).toMatchObject({ code: 'limit.exceeded', source: 'limit market-to' });
    expect(second.reservation).toBeDefined();
    expect(await decide({ ...request, counterparty: 'shop-2' })).toMatchObject({ computedOutcome: 'ALLOW' });
  });

  it('refuses a payment reference twice in one service', async () => {
    const mine = await newSubject();
    await decide(requestOf(mine, { paymentReference: 'ORDER-1' }));
    await expect(decide(requestOf(mine, { paymentReference: 'ORDER-1' }))).rejects.toMatchObject({ code: 'payment_reference.taken' });
    await expect(Promise.all([1, 2].map(() => decide(requestOf(mine, { paymentReference: 'ORDER-2' }))))).rejects.toMatchObject({
      code: 'payment_reference.taken',
    });
  });

  it('EVALUATE takes nothing, and leaves a row only where the answer is adverse', async () => {
    const mine = await newSubject(640);
    const allowed = await decide(requestOf(mine, { mode: 'EVALUATE' }));
    expect(allowed.outcome).toBe('ALLOW');
    expect(allowed.decisionId).toBeUndefined();
    const denied = await decide(requestOf(mine, { mode: 'EVALUATE', service: 'pay-later' }));
    expect(denied).toMatchObject({ outcome: 'DENY', reasons: [{ code: 'score.below_minimum' }] });
    expect(await live.ledger.findById(parseId('dec', denied.decisionId!))).toMatchObject({ outcome: 'DENY' });
    const usage = await fresh.database.query('SELECT 1 FROM usage WHERE shard = $1 AND subject = $2', [mine.shard, mine.uuid]);
    expect(usage).toEqual([]);
  });
});

describe('what was evaluated on old ground', () => {
  it('is evaluated again when the standing changed', async () => {
    const mine = await newSubject(720);
    expect((await decide(requestOf(mine, { service: 'pay-later' }))).outcome).toBe('ALLOW');
    await fresh.database.query('UPDATE standings SET score = 600, version = version + 1 WHERE shard = $1 AND subject = $2', [
      mine.shard,
      mine.uuid,
    ]);
    expect(await decide(requestOf(mine, { service: 'pay-later' }))).toMatchObject({ outcome: 'DENY', tier: 'GOOD' });
  });

  it('waits for a change under way, and is not decided on what was before it', async () => {
    const mine = await newSubject(720);
    await decide(requestOf(mine, { service: 'pay-later' }));
    let answer: Promise<{ outcome: string }> | undefined;
    await fresh.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM shard_heads WHERE shard = $1 FOR NO KEY UPDATE', [mine.shard]);
      await tx.query('UPDATE standings SET score = 600, version = version + 1 WHERE shard = $1 AND subject = $2', [mine.shard, mine.uuid]);
      answer = decide(requestOf(mine, { service: 'pay-later' }));
      const first = await Promise.race([answer, new Promise((resolve) => setTimeout(() => resolve('still waiting'), 200))]);
      expect(first).toBe('still waiting');
    });
    expect((await answer)!.outcome).toBe('DENY');
  });

  it('is evaluated again when the policy changed, and the ledger’s clock decides the window', async () => {
    const mine = await newSubject();
    const wrongClock = await liveDecider(fresh.database, { now: () => new Date('2020-01-01T00:00:00Z') });
    const answer = (await wrongClock.decider.decide(ask(requestOf(mine)))).answer;
    expect(Math.abs(Date.parse(answer.decidedAt) - Date.now())).toBeLessThan(60_000);
    await live.policies.activate(
      policyInput({ version: 2, services: [{ name: 'checkout', mode: 'enforce', minimumScore: 900 }] }),
      SIGNATURES,
      new Date(),
    );
    expect(await decide(requestOf(mine))).toMatchObject({ outcome: 'DENY', policy: { version: '2' } });
    await live.policies.activate(policyInput(), SIGNATURES, new Date());
    await expect(live.policies.activate(policyInput({ timeZone: 'UTC' }), SIGNATURES, new Date())).rejects.toMatchObject({
      code: 'policy.version_taken',
    });
    expect((await decide(requestOf(mine))).outcome).toBe('ALLOW');
  });
});

describe('after the decision', () => {
  it('a confirmed part is used, the rest is free, and a repetition changes nothing', async () => {
    const mine = await newSubject();
    const { reservation } = await decide(requestOf(mine, { minor: 10_000n, paymentReference: 'PAY-1', channel: 'bank-a' }));
    expect(await confirm(reservation!.id, 4_000n)).toMatchObject({
      reservation: { state: 'CONFIRMED', confirmedMinor: 4_000n },
      replayed: false,
    });
    expect(await confirm(reservation!.id, 4_000n)).toMatchObject({ replayed: true });
    await expect(confirm(reservation!.id)).rejects.toMatchObject({ code: 'reservation.settled' });
    const next = await decide(requestOf(mine, { minor: 100n }));
    expect(next.limits[1]).toMatchObject({ used: '40.00', reserved: '1.00' });
    const payments = new PgPaymentFinder(fresh.database);
    const [payment] = await payments.findByReferences(['PAY-1', 'PAY-X']);
    expect(payment).toMatchObject({ paymentReference: 'PAY-1', money: { minor: 4_000n, currency: 'CNY' }, channel: 'bank-a' });
    expect(await payments.findExpected('bank-a', new Date(0), new Date(Date.now() + 60_000))).toHaveLength(1);
  });

  it('refunds give back to the window, once per key', async () => {
    const mine = await newSubject();
    const { reservation } = await decide(requestOf(mine, { minor: 10_000n }));
    await confirm(reservation!.id);
    const refund = (key: string, minor?: bigint) =>
      live.settler.settle({
        caller: 'checkout-service',
        reservation: parseId('rsv', reservation!.id),
        settlement: { kind: 'refund', money: minor === undefined ? undefined : { minor, currency: 'CNY' } },
        key,
      });
    await refund('refund-1', 3_000n);
    expect(await refund('refund-1', 3_000n)).toMatchObject({ reservation: { refundedMinor: 3_000n }, replayed: true });
    await expect(refund('refund-1', 2_000n)).rejects.toMatchObject({ code: 'idempotency.key_reused' });
    await expect(refund('refund-2', 7_001n)).rejects.toMatchObject({ code: 'reservation.above_confirmed' });
    await refund('refund-3');
    const [headroom] = (await live.headroom.of(mine)).services;
    expect(headroom!.limits[1]).toMatchObject({ used: '0.00', reserved: '0.00', count: { taken: 0 } });
  });

  it('confirm and release exclude each other', async () => {
    const mine = await newSubject();
    const other = await liveDecider(fresh.database);
    for (let i = 0; i < 10; i++) {
      const { reservation } = await decide(requestOf(mine, { minor: 100n }));
      const id = parseId('rsv', reservation!.id);
      const ends = await Promise.allSettled([
        confirm(reservation!.id),
        other.settler.settle({ caller: 'checkout-service', reservation: id, settlement: { kind: 'release' }, key: undefined }),
      ]);
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
  });

  it('a hold that ran out cannot be confirmed, and its room is there for the next', async () => {
    const mine = await newSubject(500);
    const { reservation } = await decide(requestOf(mine, { minor: 20_000n, holdSeconds: 1 }));
    await decide(requestOf(mine, { minor: 20_000n, holdSeconds: 1 }));
    expect((await decide(requestOf(mine, { minor: 20_000n }))).outcome).toBe('DENY');
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await expect(confirm(reservation!.id)).rejects.toMatchObject({ code: 'reservation.expired' });
    expect(await decide(requestOf(mine, { mode: 'EVALUATE', minor: 20_000n }))).toMatchObject({ outcome: 'ALLOW' });
    expect(await decide(requestOf(mine, { minor: 20_000n }))).toMatchObject({ outcome: 'ALLOW' });
    await expect(confirm(reservation!.id)).rejects.toMatchObject({ code: 'reservation.expired' });
  });

  it('the sweep frees what nobody came back for', async () => {
    const mine = await newSubject();
    await decide(requestOf(mine, { holdSeconds: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    const sweep = new ExpirySweep(fresh.database);
    let freed = 0;
    for (let turn = 0; turn < 8; turn++) freed += await sweep.runNext();
    expect(freed).toBeGreaterThanOrEqual(1);
    expect(await sweep.run()).toBe(0);
    const [usage] = await fresh.database.query<{ reserved: bigint }>(
      'SELECT sum(reserved_minor)::bigint AS reserved FROM usage WHERE shard = $1 AND subject = $2',
      [mine.shard, mine.uuid],
    );
    expect(usage!.reserved).toBe(0n);
  });

  it('the sweep takes all of a shard in its turn, however few at once', async () => {
    const subjects = await addSubjects(fresh.database, 100);
    const busiest = SHARDS.find((shard) => subjects.filter((one) => one.shard === shard).length >= 3)!;
    const mine = subjects.filter(({ shard }) => shard === busiest).slice(0, 3);
    for (const one of mine) await decide(requestOf(one, { holdSeconds: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await new ExpirySweep(fresh.database, 1).run([busiest])).toBe(3);
  });

  it('nobody else’s reservation exists', async () => {
    const { reservation } = await decide(requestOf(await newSubject()));
    const release = { reservation: parseId('rsv', reservation!.id), settlement: { kind: 'release' }, key: undefined } as const;
    await expect(live.settler.settle({ caller: 'stranger', ...release })).rejects.toMatchObject({ code: 'reservation.unknown' });
  });
});

import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecisionAnswer } from '#contract';
import { parseId } from '#kernel';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';

const THIRTY_DAYS_SECONDS = 2_592_000;

let world: DecisionWorld;
beforeAll(async () => void (world = await decisionWorld()));
afterAll(() => world?.close());

async function decide(subject: string, change: object = {}, key = newKey()): Promise<DecisionAnswer> {
  const { body } = await world.http('POST', '/v1/decisions', { body: reserveBody(subject, change), key });
  return body as unknown as DecisionAnswer;
}

describe('an adverse answer', () => {
  const factors = Array.from({ length: 6 }, (_, n) => ({ code: `FACTOR_${n}`, text: `the factor ranked ${n + 1}` }));

  async function scored(score: number, known: readonly object[]): Promise<string> {
    const subject = await world.newSubject(score);
    const { shard, uuid } = parseId('sub', subject);
    const params = [shard, uuid, JSON.stringify(known)];
    await world.fresh.database.query('UPDATE standings SET factors = $3 WHERE shard = $1 AND subject = $2', params);
    return subject;
  }

  it.each<[string, object]>([
    ['DENY of a reservation', { service: 'pay-later' }],
    ['DENY of an evaluation', { service: 'pay-later', mode: 'EVALUATE' }],
    ['REVIEW', { amount: { amount: '1600.00', currency: 'CNY' } }],
    [
      'a DENY that an advisory service only computes',
      { service: 'marketplace', counterparty: 'shop', amount: { amount: '500.00', currency: 'CNY' } },
    ],
  ])('names the four key factors, the weightiest first: %s', async (_what, change) => {
    const answer = await decide(await scored(600, factors), change);
    expect(answer.computedOutcome).not.toBe('ALLOW');
    expect(answer.factors).toEqual(factors.slice(0, 4));
  });

  it('names as many as there are, and an ALLOW none', async () => {
    expect((await decide(await scored(600, factors.slice(0, 2)), { service: 'pay-later' })).factors).toEqual(factors.slice(0, 2));
    const allowed = await decide(await scored(700, factors));
    expect([allowed.outcome, allowed.factors]).toEqual(['ALLOW', undefined]);
  });

  it('names them over gRPC, too', async () => {
    const message = { ...reserveBody(await scored(600, factors), { service: 'pay-later' }), idempotencyKey: newKey() };
    expect(await world.grpc('Decide', message)).toMatchObject({ outcome: 'DENY', factors: factors.slice(0, 4) });
  });
});

describe('a hold of thirty days', () => {
  /** The ledger's time only moves forward: nobody's clock has to be touched. */
  async function moveLedgerTo(subject: string, at: Date): Promise<void> {
    const { shard } = parseId('sub', subject);
    await world.fresh.database.query('UPDATE shard_heads SET last_at = greatest(last_at, $2) WHERE shard = $1', [shard, at]);
  }
  const confirm = (id: string) => world.http('POST', `/v1/reservations/${id}/confirm`, { body: {} });
  const held = async (subject: string, key = newKey()) =>
    (await decide(subject, { holdSeconds: THIRTY_DAYS_SECONDS, amount: { amount: '900.00', currency: 'CNY' } }, key)) as DecisionAnswer & {
      reservation: { id: string; expiresAt: string };
    };

  it('is the longest there is', async () => {
    const subject = await world.newSubject(720);
    const body = reserveBody(subject, { holdSeconds: THIRTY_DAYS_SECONDS + 1 });
    expect(await world.http('POST', '/v1/decisions', { body, key: newKey() })).toMatchObject({
      status: 400,
      body: { code: 'decision.malformed' },
    });
    const { reservation, decidedAt } = await held(subject);
    expect(Date.parse(reservation.expiresAt) - Date.parse(decidedAt)).toBe(THIRTY_DAYS_SECONDS * 1_000);
  });

  it('is confirmed in its last second, refused at its end, and its key still knows its answer', async () => {
    const subject = await world.newSubject(720);
    const key = newKey();
    const [first, second] = [await held(subject, key), await held(subject)];
    const end = Date.parse(first.reservation.expiresAt);
    await moveLedgerTo(subject, new Date(end - 1_000));
    expect(await confirm(first.reservation.id)).toMatchObject({ status: 200, body: { state: 'CONFIRMED' } });
    await moveLedgerTo(subject, new Date(Date.parse(second.reservation.expiresAt)));
    expect(await confirm(second.reservation.id)).toMatchObject({ status: 409, body: { code: 'reservation.expired' } });
    expect(await held(subject, key)).toEqual(first);
    // Nothing of the two is on hold any more, and the usage stayed in the window of thirty days ago.
    const { limits } = await decide(subject, { amount: { amount: '1.00', currency: 'CNY' } });
    expect(limits.find(({ id }) => id === 'all-day')).toMatchObject({ used: '0.00', reserved: '1.00' });
    expect(await confirm(first.reservation.id)).toMatchObject({ status: 200, body: { state: 'CONFIRMED' } });
  });
});

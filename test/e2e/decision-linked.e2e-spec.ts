import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId } from '#kernel';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';

let world: DecisionWorld;
beforeAll(async () => {
  world = await decisionWorld();
});
afterAll(() => world?.close());

const items = [
  { service: 'checkout', amount: { amount: '100.00', currency: 'CNY' } },
  { service: 'pay-later', amount: { amount: '50.00', currency: 'CNY' }, holdSeconds: 60 },
];

describe('a linked batch', () => {
  it('is reserved whole over HTTP, answers its key again, and can be looked up', async () => {
    const [subject, key] = [await world.newSubject(), newKey()];
    const first = await world.http('POST', '/v1/decisions:linked', { body: { subject, items }, key });
    expect([first.status, first.headers.get('idempotency-hit')]).toEqual([200, null]);
    expect(first.body).toMatchObject({
      outcome: 'RESERVED',
      failed: [],
      results: [{ answer: { reservation: {} } }, { answer: { reservation: {} } }],
    });
    const again = await world.http('POST', '/v1/decisions:linked', { body: { subject, items }, key });
    expect([again.body, again.headers.get('idempotency-hit')]).toEqual([first.body, 'true']);
    const found = await world.http('GET', `/v1/decisions:linked?subject=${subject}&key=${key}`);
    expect(found.body).toEqual(first.body);
    const { results } = first.body as unknown as { results: { answer: { decisionId: string; reservation: { id: string } } }[] };
    const { decisionId, reservation } = results[1]!.answer;
    expect((await world.http('GET', `/v1/decisions/${decisionId}`)).body).toEqual(results[1]!.answer);
    expect((await world.http('POST', `/v1/reservations/${reservation.id}/confirm`, { body: {} })).body).toMatchObject({
      state: 'CONFIRMED',
    });
  });

  it('is refused whole, says why, and is for its caller only', async () => {
    const [subject, key] = [await world.newSubject(600), newKey()];
    const { status, body } = await world.http('POST', '/v1/decisions:linked', { body: { subject, items }, key });
    expect([status, body]).toMatchObject([
      200,
      {
        outcome: 'REFUSED',
        failed: [1],
        results: [{ problem: { code: 'linked.refused' } }, { answer: { outcome: 'DENY', reasons: [{ code: 'score.below_minimum' }] } }],
      },
    ]);
    const stranger = world.token(undefined, 'another-service');
    const found = await world.http('GET', `/v1/decisions:linked?subject=${subject}&key=${key}`, { token: stranger });
    expect([found.status, found.body['code']]).toEqual([404, 'decision.unknown']);
  });

  it.each<[what: string, status: number, code: string, field: string | undefined, change: object, key?: string]>([
    ['another subject in an item', 400, 'decision.malformed', '/items/0/subject', { items: [{ ...items[0], subject: 'sub_x' }] }],
    ['no items', 400, 'decision.malformed', '/items', { items: [] }],
    ['too many items', 400, 'decision.malformed', '/items', { items: Array.from({ length: 21 }, () => items[0]) }],
    [
      'an amount with too many decimals',
      422,
      'amount.precision',
      '/items/1/amount/amount',
      { items: [items[0], { ...items[0], amount: { amount: '0.001', currency: 'CNY' } }] },
    ],
    ['no key', 400, 'idempotency.key_missing', 'Idempotency-Key', {}, ''],
  ])('refuses %s with %i %s', async (_what, status, code, field, change, key = newKey()) => {
    const subject = await world.newSubject();
    const answer = await world.http('POST', '/v1/decisions:linked', { body: { subject, items, ...change }, key: key || undefined });
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
    if (field !== undefined) expect(answer.body['field']).toBe(field);
  });

  it('says which item it cannot judge', async () => {
    const body = { subject: await world.newSubject(), items: [items[0], { ...items[0], amount: { amount: '0', currency: 'CNY' } }] };
    expect((await world.http('POST', '/v1/decisions:linked', { body, key: newKey() })).body).toMatchObject({
      outcome: 'REFUSED',
      failed: [1],
      results: [{ problem: { code: 'linked.refused' } }, { problem: { code: 'amount.not_positive', field: '/items/1/amount/amount' } }],
    });
  });

  it('goes over gRPC as well, with the look-ups of everything else', async () => {
    const [subject, idempotencyKey] = [await world.newSubject(), newKey()];
    const first = await world.grpc('DecideLinked', { subject, items, idempotencyKey });
    expect(first).toMatchObject({ outcome: 'RESERVED', results: [{ answer: { outcome: 'ALLOW' } }, { answer: { reservation: {} } }] });
    const again = await world.grpc('DecideLinked', { subject, items, idempotencyKey });
    expect(again).toEqual({ ...first, idempotencyHit: true });
    expect(await world.grpc('FindLinked', { subject, idempotencyKey })).toEqual(again);
    await expect(world.grpc('DecideLinked', { subject, items: items.slice(1), idempotencyKey })).rejects.toMatchObject({
      problem: 'idempotency.key_reused',
    });
    const key = newKey();
    const single = await world.grpc('Decide', { ...reserveBody(subject), idempotencyKey: key });
    const { decisionId, reservation } = single as unknown as { decisionId: string; reservation: { id: string } };
    const told = { ...single, idempotencyHit: true };
    expect(await world.grpc('FindDecision', { subject, idempotencyKey: key })).toEqual(told);
    expect(await world.grpc('GetDecision', { decisionId })).toEqual(told);
    expect(await world.grpc('GetReservation', { reservationId: reservation.id })).toMatchObject({ state: 'RESERVED' });
    expect(await world.grpc('GetHeadroom', { subject })).toMatchObject({
      tier: 'EXCELLENT',
      services: [{ service: 'checkout' }, {}, {}, {}],
    });
    // Who looked is a fact, at this door as at the other.
    const seen = "SELECT body::jsonb->>'what' AS what FROM facts WHERE kind = 'subject.viewed' AND subject = $1";
    expect(await world.fresh.database.query(seen, [parseId('sub', subject).uuid])).toEqual([{ what: 'headroom' }]);
    const stranger = world.token(undefined, 'another-service');
    for (const [method, message] of [
      ['FindDecision', { subject, idempotencyKey: key }],
      ['GetDecision', { decisionId }],
      ['GetReservation', { reservationId: reservation.id }],
      ['FindLinked', { subject, idempotencyKey }],
    ] as const)
      await expect(world.grpc(method, message, stranger)).rejects.toMatchObject({ code: 5 });
  });
});

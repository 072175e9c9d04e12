import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCRIPTS } from '../../apps/decision-api/src/scripted-subjects.js';
import { parseConfig } from '#platform';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';
import { tableContents } from '../world/table-contents.js';

let world: DecisionWorld;
beforeAll(async () => {
  world = await decisionWorld();
});
afterAll(() => world?.close());

const [ALLOW, DENY, REVIEW, SLOW, DOWN] = SCRIPTS.map(({ subject }) => subject) as [string, string, string, string, string];
const decide = (subject: string, change: object = {}, key = newKey()) =>
  world.http('POST', '/v1/decisions', { body: reserveBody(subject, change), key });
const yuan = (amount: string) => ({ amount: { amount, currency: 'CNY' } });

describe('scripted subjects', () => {
  it.each([
    [ALLOW, 'ALLOW', true],
    [DENY, 'DENY', false],
    [REVIEW, 'REVIEW', true],
    [SLOW, 'ALLOW', true],
  ] as const)('%s answers %s everywhere and leaves nothing', async (subject, outcome, holds) => {
    const before = await tableContents(world.fresh.url);
    const body = { items: [{ ...reserveBody(subject, yuan('9000000.00')), key: newKey() }] };
    const key = newKey();
    const [single, twin, batch, grpc] = await Promise.all([
      decide(subject, {}, key),
      decide(subject, {}, key),
      world.http('POST', '/v1/decisions:batch', { body }),
      world.grpc('Decide', { ...reserveBody(subject), idempotencyKey: newKey() }),
    ]);
    const answer = { outcome, reasons: [{ code: `scripted.${outcome.toLowerCase()}` }], ...(holds ? { reservation: {} } : {}) };
    const [first, second] = [single, twin].sort((a, b) => a.status - b.status) as [typeof single, typeof twin];
    expect([first.status, first.body]).toMatchObject([200, answer]);
    // One key, one answer: a repetition gets the same one, or is told after two seconds that there is none yet.
    if (subject === SLOW) expect([second.status, second.body['code']]).toEqual([409, 'idempotency.in_flight']);
    else expect(second.body).toEqual(first.body);
    expect((await decide(subject, {}, key)).body).toEqual(first.body);
    expect(batch.body).toMatchObject({ results: [{ answer }] });
    expect(grpc).toMatchObject(answer);
    expect(await tableContents(world.fresh.url)).toEqual(before);
  });

  it('are unavailable with a time to come back', async () => {
    const { status, body, headers } = await decide(DOWN);
    expect([status, body['code'], headers.get('retry-after')]).toEqual([503, 'scripted.unavailable', '1']);
    await expect(world.grpc('Decide', { ...reserveBody(DOWN), idempotencyKey: newKey() })).rejects.toMatchObject({ code: 14 });
  });

  it('keep what keys and reservations promise', async () => {
    const key = newKey();
    const { body } = await decide(ALLOW, {}, key);
    const again = await decide(ALLOW, {}, key);
    expect([again.body, again.headers.get('idempotency-hit')]).toEqual([body, 'true']);
    expect((await decide(ALLOW, yuan('11.00'), key)).body['code']).toBe('idempotency.key_reused');
    const url = `/v1/reservations/${(body as unknown as { reservation: { id: string } }).reservation.id}`;
    const step = async (name: string, amount: object = {}, refundKey?: string) =>
      (await world.http('POST', `${url}/${name}`, { body: amount, key: refundKey })).body;
    expect(await step('confirm', yuan('10.01'))).toMatchObject({ code: 'reservation.above_reserved' });
    expect(await step('confirm', yuan('6.00'))).toMatchObject({ state: 'CONFIRMED', confirmed: { amount: '6.00' } });
    expect(await step('release')).toMatchObject({ code: 'reservation.settled' });
    const refundKey = newKey();
    for (let i = 0; i < 2; i++) expect(await step('refund', yuan('4.00'), refundKey)).toMatchObject({ refunded: { amount: '4.00' } });
    expect(await step('refund', yuan('5.00'), refundKey)).toMatchObject({ code: 'idempotency.key_reused' });
  });

  it('stand in the README, and are refused in production', () => {
    const readme = readFileSync('apps/decision-api/README.md', 'utf8');
    for (const { subject, says } of SCRIPTS) expect(readme).toContain(`| \`${subject}\` | ${says} |`);
    const production = {
      TALLYSTICK_ENV: 'production',
      DATABASE_URL: 'postgres://x@db/x',
      INTERNAL_TOKEN_ISSUER: 'issuer',
      CONSOLE_ORIGIN: 'https://console.example',
      GATEWAY_ORIGIN: 'https://gateway.example',
    };
    expect(() => parseConfig(production)).not.toThrow();
    expect(() => parseConfig({ ...production, SCRIPTED_SUBJECTS: 'on' })).toThrow(/SCRIPTED_SUBJECTS/);
  });
});

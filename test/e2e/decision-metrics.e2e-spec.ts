import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shadowFollower } from '#decisions/adapters/backtests';
import { watchShadows } from '#decisions/adapters/shadow-metrics';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';

/** Has no value for a score of 720. */
const fragile = {
  id: 'fragile',
  services: ['checkout'],
  when: '100 / (subject.score - 720) > 1000',
  then: 'WARN' as const,
  reason: { code: 'risk.odd', text: 'an odd amount' },
};

let world: DecisionWorld;
let subject: string;

beforeAll(async () => {
  world = await decisionWorld({}, policyInput({ rules: [fragile] }));
  subject = await world.newSubject(730);
});
afterAll(() => world?.close());

async function metric(line: string): Promise<number> {
  const { body } = await world.http('GET', '/metrics', { token: '' });
  const found = (body['text'] as string).split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? 0 : Number(found.slice(line.length));
}

const failures = () => metric('tallystick_rule_failures_total{policy="house",version="1",rule="fragile",why="division_by_zero"}');
const refusals = (code: string) => metric(`tallystick_refused_total{code="${code}"}`);

describe('the metrics of decision-api', () => {
  it('count the rule that had no value, and no other case', async () => {
    const before = await failures();
    const failed = await world.http('POST', '/v1/decisions', { body: reserveBody(await world.newSubject(720)), key: newKey() });
    expect(failed.body).toMatchObject({
      outcome: 'DENY',
      reasons: [{ code: 'rule.failed', source: 'rule fragile', text: 'the rule has no value here: division by zero' }],
    });
    const after = await failures();
    expect(after).toBeGreaterThan(before);
    expect((await world.http('POST', '/v1/decisions', { body: reserveBody(subject), key: newKey() })).body).toMatchObject({
      outcome: 'ALLOW',
    });
    expect(await failures()).toBe(after);
  });

  it('count what was refused by its code: alone, in a batch, over gRPC, and on the other routes', async () => {
    const code = 'service.unknown';
    const before = await refusals(code);
    const body = reserveBody(subject, { service: 'teleport' });
    expect((await world.http('POST', '/v1/decisions', { body, key: newKey() })).status).toBe(422);
    await world.http('POST', '/v1/decisions:batch', {
      body: {
        items: [
          { ...body, key: newKey() },
          { ...body, key: newKey() },
        ],
      },
    });
    await expect(world.grpc('Decide', { ...body, idempotencyKey: newKey() })).rejects.toMatchObject({ problem: code });
    expect(await refusals(code)).toBe(before + 4);
    const unknown = await refusals('allowance.unknown');
    await world.http('GET', '/v1/allowances/alw_x01m80gwccde8xb2gth38mqant0');
    expect(await refusals('allowance.unknown')).toBe(unknown + 1);
  });

  it('tell what a version in shadow would change', async () => {
    const { database } = world.fresh;
    watchShadows(database);
    await policyLife(database).draft(
      policyInput({ version: 2, limits: [{ id: 'day', window: 'DAY', scope: 'SUBJECT', amount: '5.00' }] }),
      'ann',
      new Date(),
    );
    await policyLife(database).shadow(2n, 'ann', new Date());
    expect((await world.http('POST', '/v1/decisions', { body: reserveBody(subject), key: newKey() })).body).toMatchObject({
      outcome: 'ALLOW',
    });
    expect(await metric('tallystick_shadow_decisions{version="2",what="behind"}')).toBeGreaterThan(0);
    await shadowFollower(database).run();
    const shadow = (what: string) => metric(`tallystick_shadow_decisions{version="2",what="${what}"}`);
    expect([await shadow('compared'), await shadow('outcome'), await shadow('behind')]).toEqual([1, 1, 0]);
  });
});

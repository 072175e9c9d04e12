import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

const CALLS = 5;
const redisUrl = inject('TEST_REDIS_URL');
const counters: [where: string, redisUrl: string | undefined][] = [
  ['PostgreSQL', undefined],
  ['Redis', redisUrl],
  ['memory, while Redis cannot be reached', 'redis://127.0.0.1:1'],
];

describe.each(counters.filter(([where, url]) => where !== 'Redis' || url !== undefined))('a call budget counted in %s', (_where, url) => {
  let world: GatewayWorld;
  beforeAll(async () => {
    world = await openGatewayWorld({ callsPerSecondMax: CALLS, ...(url === undefined ? {} : { redisUrl: url }) });
  });
  afterAll(() => world.close());

  it('refuses what is beyond it with 429 and the time to wait, and only that participant', async () => {
    const answers = await Promise.all(Array.from({ length: CALLS * 8 }, () => world.call(world.client('bank-a'))));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(CALLS);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(refused.body).toMatchObject({ code: 'calls.too_many', limit: `callsPerSecondMax=${CALLS}`, retryAfterSeconds: 1 });
    expect(refused.headers['retry-after']).toBe('1');
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    await world.call(world.client('bank-b')).expect(200);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await world.call(world.client('bank-a')).expect(200);
  });
});

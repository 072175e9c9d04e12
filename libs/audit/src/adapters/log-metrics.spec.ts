import { register } from 'prom-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pgWorld } from '../testing/pg-sealing-world.js';
import { newSealer, shardA, shardB } from '../testing/sealing-world.js';
import { watchLog } from './log-metrics.js';

let world: Awaited<ReturnType<typeof pgWorld>>;
beforeAll(async () => (world = await pgWorld()));
afterAll(() => world.close());

it('the metrics tell how long the oldest fact waits to be sealed, and which alarms stand', async () => {
  watchLog(world.database);
  await world.addFacts(shardA, 3);
  await world.addFacts(shardB, 1);
  await world.database.query(`INSERT INTO log_alarms (code, place, detail) VALUES ('log.forked', '', 'seen by another worker')`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await value('tallystick_log_oldest_seconds')).toBeGreaterThan(0.01);
  expect(await value('tallystick_log_alarms{code="log.forked"}')).toBe(1);
  await newSealer(world).sealOnce();
  await world.database.query('UPDATE log_alarms SET cleared_at = clock_timestamp()');
  expect(await value('tallystick_log_oldest_seconds')).toBe(0);
  expect(await value('tallystick_log_alarms{code="log.forked"}')).toBeUndefined();
  await world.addFacts(shardA, 4);
  await world.removeFact(shardA, 5n);
  await newSealer(world).sealOnce();
  expect(await value('tallystick_log_alarms{code="log.gap"}')).toBe(1);
});

async function value(series: string): Promise<number | undefined> {
  const line = (await register.metrics()).split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

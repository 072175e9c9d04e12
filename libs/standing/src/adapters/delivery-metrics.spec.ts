import { register } from 'prom-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { DeliveryWorld, REJECTED, TAKEN } from '../testing/delivery-world.js';
import { watchDeliveries } from './delivery-metrics.js';

const DAY_MS = 86_400_000;

let fresh: FreshDatabase;
let world: DeliveryWorld;
beforeAll(async () => {
  fresh = await freshDatabase();
  world = new DeliveryWorld(fresh.database);
});
afterAll(() => fresh.close());

it('the metrics tell how events of each bank fare, and how pushes ended', async () => {
  watchDeliveries(fresh.database);
  const [bank, failing] = ['bank-1', 'bank-2'];
  for (const one of [bank, failing]) await world.bank(one);
  const before = await metrics();
  const bad = await world.tell(bank, 1);
  for (const subject of [1, 2]) await world.tell(bank, subject);
  await world.tell(failing, 1);
  world.answer = ({ participant, n }) => {
    if (participant === failing) return { status: 503, body: undefined, retryAfterSeconds: 60 };
    return n === bad ? REJECTED : TAKEN;
  };
  await world.run(bank);
  await world.run(failing);
  const told = await metrics();
  const more = (outcome: string) => {
    const name = `tallystick_event_pushes_total{outcome="${outcome}"}`;
    return (told.get(name) ?? 0) - (before.get(name) ?? 0);
  };
  expect([more('taken'), more('refused'), more('answer_unexpected')]).toEqual([1, 1, 1]);
  expect(told.get(`tallystick_events_waiting{participant="${bank}"}`)).toBe(2);
  expect(told.has(`tallystick_events_oldest_seconds{participant="${bank}"}`)).toBe(true);
  expect(told.get(`tallystick_webhook_state{participant="${bank}",state="ACTIVE"}`)).toBe(1);
  expect(told.get(`tallystick_webhook_state{participant="${failing}",state="FAILING"}`)).toBe(1);
  world.clock.advance(3 * DAY_MS);
  expect(await world.webhooks.giveUp()).toBe(2);
  const later = await metrics();
  expect(later.get(`tallystick_dead_letters{participant="${bank}"}`)).toBe(1);
  expect(later.get(`tallystick_events_waiting{participant="${bank}"}`)).toBe(1);
});

/** Each series with its value, as Prometheus reads it. */
async function metrics(): Promise<Map<string, number>> {
  const lines = (await register.metrics()).split('\n').filter((line) => line.startsWith('tallystick_'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

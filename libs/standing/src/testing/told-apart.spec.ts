import { expect, it } from 'vitest';
import { violation } from '#records/testing/records';
import { createNotary, nodeClerk } from '../adapters/node-notary.js';
import { Disputes } from '../dispute/disputes.js';
import { eventToken, placeEvents } from '../event.js';
import { answerIn, nextNumber, type Stage, wish } from './dispute-stage.js';
import { claimsOf, ExchangeWorld, receiptSigner } from './exchange-world.js';
import { MemoryExchange } from './memory-exchange.js';

const HOUR_MS = 3_600_000;
/** What everybody has: words, days, and hours where the form asks for a time. */
const SHARED = [/^[A-Za-z_ .:/-]+$/, /^\d{4}-\d\d-\d\d$/, /^hour \d+$/];

/** Every value of a token, with the time that its jti begins with; times that are whole hours are named so. */
function valuesOf(token: string): string[] {
  const { iat, jti, ...claims } = claimsOf(token) as { iat: number; jti: string };
  const begins = parseInt(jti.replace('-', '').slice(0, 12), 16);
  return [jti, ...[iat * 1_000, begins].map(momentOf), ...leavesOf(claims)];
}

const momentOf = (ms: number): string => (ms % HOUR_MS === 0 ? `hour ${ms / HOUR_MS}` : new Date(ms).toISOString());

function leavesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...leavesOf(inner)]);
}

it('the events of two banks about one subject have nothing in common that could join their files', async () => {
  const exchange = new MemoryExchange();
  const ground = { exchange, queue: exchange, reader: exchange, factKinds: () => exchange.factKinds() };
  const world = new ExchangeWorld(ground);
  const stage = { world, flow: new Disputes(exchange, nodeClerk, world.clock) } as Stage;
  const subject = await world.subject();
  const [furnisher] = [await world.link(subject, 'bank-x')];
  for (const bank of ['bank-y', 'bank-z']) {
    world.clock.advance(98_765);
    await world.link(subject, bank);
    await world.hear(bank);
  }
  world.clock.advance(12_345);
  const reported = world.record('bank-x', furnisher, nextNumber(), {
    kind: 'violation',
    violation: violation('SEVERE', world.clock.now()),
  });
  await world.send(reported);
  world.clock.advance(54_321);
  const { dispute } = await stage.flow.open(subject, wish(reported.jti));
  world.clock.advance(23_456);
  await answerIn(stage, { id: dispute.id, subject }, { answer: 'WITHDRAWN' });

  const files = await Promise.all(
    ['bank-y', 'bank-z'].map(async (bank) => {
      const { sets } = await world.poll.run(bank, { maxEvents: 100, returnImmediately: true, ack: [], setErrs: {} });
      return Object.values(sets);
    }),
  );
  const [y, z] = files.map((tokens) => new Set(tokens.flatMap(valuesOf)));
  const kinds = ['violation.reported', 'rating.changed', 'restriction.imposed', 'restriction.lifted', 'record.withdrawn', 'dispute.closed'];
  for (const kind of kinds) expect([y, z].every((values) => values!.has(`urn:tallystick:event:${kind}`))).toBe(true);
  expect([...y!].filter((value) => z!.has(value) && !SHARED.some((form) => form.test(value)))).toEqual([]);
});

it('what names and dates an event tells the hour', async () => {
  const at = new Date('2026-11-21T08:03:29.875Z');
  const notices = [{ participant: 'bank-y', ref: { shard: 0, uuid: nodeClerk.uuid(at) }, kind: 'rating.changed', body: {} }] as const;
  const happening = { fact: { shard: 0, kind: 'standing.changed', body: {} }, notices } as const;
  const [event] = placeEvents([happening], [{ shard: 0, seq: 1n, at }], (when) => nodeClerk.uuid(when));
  const token = await eventToken(
    event!,
    createNotary('https://gateway.test', () => receiptSigner),
  );
  expect(valuesOf(token).slice(1, 3)).toEqual(Array(2).fill(`hour ${Math.floor(at.getTime() / HOUR_MS)}`));
});

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { formatId, type ShardedId } from '#kernel';
import { rating } from '#records/testing/records';
import { Disputes } from '../dispute/disputes.js';
import { BatchWorld, lineOf, textOf } from '../testing/batch-world.js';
import { nodeClerk } from './node-notary.js';
import { PgExchange } from './pg-exchange.js';

const DAY_MS = 86_400_000;
let world: BatchWorld;
let refB: ShardedId;

beforeAll(async () => {
  world = await BatchWorld.open();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.newSubject();
  refB = await world.exchange.link(world.subject, 'bank-b');
  await told();
});

/** Which of the two banks of the subject are told that its rating changed. */
async function told(): Promise<string[]> {
  const { exchange, ref } = world;
  const heard = await Promise.all(['bank-a', 'bank-b'].map(async (bank) => [bank, await exchange.hear(bank)] as const));
  const own = [formatId('lnk', ref), formatId('lnk', refB)];
  return heard.flatMap(([bank, events]) =>
    events.some(({ kind, ref: about }) => kind === 'rating.changed' && own.includes(about)) ? [bank] : [],
  );
}

async function batch(): Promise<void> {
  const { batch: received } = await world.receive(textOf([lineOf(world.rated()), lineOf(world.rated())]));
  expect(await world.runner().run(received.id)).toBe('done');
  await world.exchange.review.run();
}

it('a bank is never told what its own records did to a score, the others are', async () => {
  const { exchange } = world;
  const first = world.rated();
  const doings: Record<string, () => Promise<unknown>> = {
    rating: () => exchange.send(first),
    correction: () => exchange.send(world.record({ kind: 'correction', correction: { replaces: first.jti, rating: rating(400) } })),
    'lines of a batch, judged by the worker': batch,
    'a flag on a record of its own': async () => {
      const flows = new Disputes(new PgExchange(world.fresh.database), nodeClerk, exchange.clock);
      const own = world.record({ kind: 'rating', rating: rating(900) });
      await exchange.send(own);
      await told();
      const record = { iss: 'bank-a', jti: own.jti };
      await flows.open(world.subject, { openedBy: 'FURNISHER', caller: 'bank-a', code: 'INACCURATE', record });
    },
    'the end of their validity': async () => {
      exchange.clock.advance(91 * DAY_MS);
      await exchange.review.run();
    },
  };
  for (const [doing, act] of Object.entries(doings)) {
    await act();
    expect([doing, ...(await told())]).toEqual([doing, 'bank-b']);
  }
});

it('a bank is told what another did beside it', async () => {
  const { exchange } = world;
  await exchange.send(exchange.record('bank-b', refB, 900_001, { kind: 'rating', rating: rating(400) }));
  expect(await told()).toEqual(['bank-a']);
  exchange.clock.advance(91 * DAY_MS);
  // Bank B's record has run out when bank A's lines are judged.
  await batch();
  expect(await told()).toEqual(['bank-a', 'bank-b']);
});

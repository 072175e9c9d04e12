import { describe, expect, it } from 'vitest';
import type { HeldSubject } from './store.js';
import { ExchangeWorld, startAt } from './testing/exchange-world.js';
import { MemoryExchange } from './testing/memory-exchange.js';
import type { TogetherBooks } from './together/together-books.js';
import { rating } from '#records/testing/records';

describe('a review of many subjects', () => {
  it('stops at none that cannot be judged, and tells of it when all others are done', async () => {
    const exchange = new MemoryExchange();
    const ground = { exchange, queue: exchange, reader: exchange, factKinds: () => exchange.factKinds() };
    const world = new ExchangeWorld(ground);
    const subjects = await Promise.all(Array.from({ length: 70 }, () => world.subject()));
    for (const [i, subject] of subjects.entries()) {
      const ref = await world.link(subject, 'bank-a');
      await world.send(world.record('bank-a', ref, i + 1, { kind: 'rating', rating: rating(800) }));
    }
    world.clock.set(new Date(startAt.getTime() + 400 * 86_400_000));
    const bad = subjects[17]!.uuid;
    const { together } = exchange;
    exchange.together = (work) => together.call(exchange, (books) => work(spoiling(books, bad)) as never) as never;
    await expect(world.review.run()).rejects.toThrow('cannot be judged');
    expect((await exchange.due(world.clock.now(), 100)).map(({ uuid }) => uuid)).toEqual([bad]);
    exchange.together = together;
    expect(await world.review.run()).toBe(1);
    expect(await exchange.due(world.clock.now(), 100)).toEqual([]);
  });
});

/** One subject cannot be read. */
function spoiling(books: TogetherBooks, uuid: string): TogetherBooks {
  const spoilt = (held: HeldSubject): HeldSubject => ({
    ...held,
    get links(): never {
      throw new Error('cannot be judged');
    },
  });
  return {
    ...books,
    holdDue: async (due) => {
      const { held, marked } = await books.holdDue(due);
      return { held: held.map((one) => (one.subject.id.uuid === uuid ? spoilt(one) : one)), marked };
    },
  };
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { troublesInARowMax } from '../delivery/circuit.js';
import { pushesPerPartnerMax } from '../delivery/deliver-events.js';
import { BROKEN, DeliveryWorld, REJECTED, TAKEN } from '../testing/delivery-world.js';
import { PgDeliveryStore } from './pg-delivery-store.js';
import { PgEventQueue } from './pg-event-queue.js';

const DAY_MS = 86_400_000;

let fresh: FreshDatabase;
let world: DeliveryWorld;
let last = 0;
beforeAll(async () => {
  fresh = await freshDatabase();
  world = new DeliveryWorld(fresh.database);
});
afterAll(() => fresh.close());

const newBank = async (...rest: Parameters<DeliveryWorld['bank']> extends [string, ...infer R] ? R : never) => {
  const id = `bank-${++last}`;
  world.answer = () => TAKEN;
  // What an earlier test left waiting is none of this one's.
  await fresh.database.query(`UPDATE participants SET state = 'CLOSED'`);
  await world.bank(id, ...rest);
  return id;
};
const tell = async (bank: string, ...subjects: number[]) => {
  const told: number[] = [];
  for (const subject of subjects) told.push(await world.tell(bank, subject));
  return told;
};

describe('a webhook', () => {
  it('gets nothing before its receiver has echoed, and a new address must echo anew', async () => {
    const bank = await newBank();
    expect((await world.webhooks.get(bank)).confirmedAt).toBeDefined();
    await tell(bank, 1);
    await world.webhooks.register(bank, { url: `https://${bank}.example/elsewhere`, kinds: [] });
    expect(await world.run(bank)).toBe('CONFIRMED');
    expect(world.numbers(bank)).toEqual([]);
    expect(await world.run(bank)).toBe('DRAINED');
    expect(world.numbers(bank)).toHaveLength(1);
    expect(await world.factKinds(bank)).toEqual(['webhook.registered', 'webhook.confirmed', 'webhook.registered', 'webhook.confirmed']);
  });

  it('registered twice is registered once', async () => {
    const bank = await newBank();
    const wish = { url: `https://${bank}.example/events`, kinds: [] };
    await Promise.all([1, 2, 3].map(() => world.webhooks.register(bank, wish)));
    expect(await world.factKinds(bank)).toEqual(['webhook.registered', 'webhook.confirmed']);
  });

  it('hears only the kinds it wants; the others wait for a poll', async () => {
    const bank = await newBank(['restriction.lifted']);
    const rating = await world.tell(bank, 1, 'rating.changed');
    const lifted = await world.tell(bank, 1, 'restriction.lifted');
    await world.run(bank);
    expect(world.numbers(bank)).toEqual([lifted]);
    expect(await world.unacknowledged(bank)).toEqual([rating]);
  });

  it('is held back while it is paused and while its bank is suspended', async () => {
    const bank = await newBank();
    await tell(bank, 1);
    await world.webhooks.pause(bank, 'the bank asked', 'otto');
    expect(await world.run(bank)).toBe('NOTHING');
    await world.webhooks.resume(bank, 'otto');
    await fresh.database.query(`UPDATE participants SET state = 'SUSPENDED' WHERE id = $1`, [bank]);
    expect(await world.run(bank)).toBe('NOTHING');
    await fresh.database.query(`UPDATE participants SET state = 'ACTIVE' WHERE id = $1`, [bank]);
    expect(await world.run(bank)).toBe('DRAINED');
    expect(await world.factKinds(bank)).toContain('webhook.paused');
  });
});

describe('a drain', () => {
  it('keeps the order of each subject and acknowledges what was taken', async () => {
    const bank = await newBank();
    const told = await tell(bank, 1, 2, 1, 3, 2, 1, 1);
    world.answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3 * Math.random()));
      return TAKEN;
    };
    expect(await world.run(bank)).toBe('DRAINED');
    const ofSubject = (i: number) => world.numbers(bank).filter((n) => [told[0], told[2], told[5], told[6]].includes(n))[i];
    expect([0, 1, 2, 3].map(ofSubject)).toEqual([told[0], told[2], told[5], told[6]]);
    expect(await world.unacknowledged(bank)).toEqual([]);
  });

  it('one refused event holds back its subject only, and is tried again after its time with the same bytes', async () => {
    const bank = await newBank();
    const [bad, other, behind] = await tell(bank, 1, 2, 1);
    world.answer = ({ n }) => (n === bad ? REJECTED : TAKEN);
    await world.run(bank);
    expect(world.numbers(bank).sort()).toEqual([bad, other]);
    expect(await world.unacknowledged(bank)).toEqual([bad, behind]);
    expect(await world.book.backlog([bank])).toEqual(new Map([[bank, { waiting: 2, failing: 1, dead: 0 }]]));
    expect((await world.book.due(world.clock.now())).map(({ participant }) => participant)).not.toContain(bank);
    world.clock.advance(5_000);
    world.answer = () => TAKEN;
    await world.run(bank);
    expect(world.numbers(bank).slice(2)).toEqual([bad, behind]);
    const [first, second] = world.pushed.filter(({ n }) => n === bad);
    expect(second!.token).toBe(first!.token);
    expect(await world.book.backlog([bank])).toEqual(new Map([[bank, { waiting: 0, failing: 0, dead: 0 }]]));
    expect((await world.webhooks.get(bank)).circuit).toEqual({ failures: 0 });
  });

  it('a poll settles what a webhook is failing at, and the webhook goes on', async () => {
    const bank = await newBank();
    const [bad, behind] = await tell(bank, 1, 1);
    world.answer = ({ n }) => (n === bad ? REJECTED : TAKEN);
    await world.run(bank);
    const queue = new PgEventQueue(fresh.database);
    const [polled] = await queue.waiting(bank, 1, world.clock.now());
    await queue.acknowledge(bank, [polled!.id], world.clock.now());
    await world.run(bank);
    expect(world.numbers(bank)).toEqual([bad, behind]);
    expect(await world.unacknowledged(bank)).toEqual([]);
  });

  it('an endpoint in trouble gets one probe at a time, and everything at once when it is well again', async () => {
    const bank = await newBank();
    const told = await tell(bank, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    world.answer = () => BROKEN;
    expect(await world.run(bank)).toBe('FAILING');
    const first = world.numbers(bank).length;
    // Those under way when it is found in trouble, and what was begun after the troubles before.
    expect(first).toBeLessThanOrEqual(pushesPerPartnerMax + troublesInARowMax - 1);
    expect(await world.run(bank)).toBe('NOTHING');
    world.clock.advance(60_000);
    expect(await world.book.due(world.clock.now())).toEqual(
      expect.arrayContaining([expect.objectContaining({ participant: bank, probe: true })]),
    );
    expect(await world.run(bank)).toBe('FAILING');
    expect(world.numbers(bank)).toHaveLength(first + 1);
    world.clock.advance(60_000);
    world.answer = () => TAKEN;
    expect(await world.run(bank)).toBe('DRAINED');
    expect(await world.unacknowledged(bank)).toEqual([]);
    expect(new Set(world.numbers(bank))).toEqual(new Set(told));
    expect(await world.factKinds(bank)).toEqual(['webhook.registered', 'webhook.confirmed', 'webhook.failing', 'webhook.recovered']);
  });

  it('an endpoint that was mended is probed at once where its bank registers it again', async () => {
    const bank = await newBank();
    const told = await tell(bank, 1, 2, 3, 4);
    world.answer = () => BROKEN;
    expect(await world.run(bank)).toBe('FAILING');
    expect((await world.webhooks.get(bank)).circuit.nextTryAt! > world.clock.now()).toBe(true);
    world.answer = () => TAKEN;
    world.pushed.length = 0;
    await world.webhooks.register(bank, { url: `https://${bank}.example/events`, kinds: [] });
    expect(await world.run(bank)).not.toBe('NOTHING');
    world.clock.advance(60_000);
    await world.run(bank);
    expect([new Set(world.numbers(bank)), await world.unacknowledged(bank)]).toEqual([new Set(told), []]);
  });

  it('an event on which the receiver always breaks does not keep the others from it', async () => {
    const bank = await newBank();
    const [poison] = await tell(bank, 1);
    world.answer = ({ n }) => (n === poison ? BROKEN : TAKEN);
    await world.run(bank);
    for (let i = 0; i < 6; i++) {
      const [other] = await tell(bank, 2 + i);
      world.clock.advance(3_600_000);
      await world.run(bank);
      await world.run(bank);
      expect(await world.unacknowledged(bank)).toEqual([poison]);
      expect(world.numbers(bank)).toContain(other);
    }
  });

  it('honours Retry-After of a busy receiver', async () => {
    const bank = await newBank();
    await tell(bank, 1);
    world.answer = () => ({ status: 503, body: undefined, retryAfterSeconds: 600 });
    await world.run(bank);
    world.clock.advance(599_000);
    expect(await world.run(bank)).toBe('NOTHING');
    world.clock.advance(1_000);
    world.answer = () => TAKEN;
    expect(await world.run(bank)).toBe('DRAINED');
  });

  it('two workers never push to one bank at once', async () => {
    const bank = await newBank();
    await tell(bank, 1, 2, 3);
    let now = 0;
    let most = 0;
    world.answer = async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      return TAKEN;
    };
    const results = await Promise.all([world.run(bank), world.run(bank), world.run(bank)]);
    expect(results.sort()).toEqual(['DRAINED', 'NOTHING', 'NOTHING']);
    expect(world.numbers(bank)).toHaveLength(3);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('a worker that dies after pushing leaves a lease that runs out, and nothing is lost', async () => {
    const bank = await newBank();
    const told = await tell(bank, 1, 1, 2);
    const dying = new PgDeliveryStore(fresh.database, 10_000);
    dying.acknowledge = () => Promise.reject(new Error('died'));
    dying.release = () => Promise.resolve();
    await expect(world.deliver(dying).run(bank)).rejects.toThrow('died');
    expect(await world.run(bank)).toBe('NOTHING');
    await fresh.database.query(`UPDATE webhooks SET leased_until = clock_timestamp() WHERE participant_id = $1`, [bank]);
    const [due] = (await world.book.due(world.clock.now())).filter(({ participant }) => participant === bank);
    expect(due!.epoch).toBe(2n);
    expect(await world.run(bank)).toBe('DRAINED');
    expect(new Set(world.numbers(bank))).toEqual(new Set(told));
    expect(await world.unacknowledged(bank)).toEqual([]);
  });

  it('a worker that is told to end finishes what is under way and leaves the rest', async () => {
    const bank = await newBank();
    const [first, second] = await tell(bank, 1, 1);
    const worker = world.deliver();
    world.answer = () => {
      worker.stop();
      return TAKEN;
    };
    expect(await worker.run(bank)).toBe('MORE');
    expect(world.numbers(bank)).toEqual([first]);
    expect(await world.unacknowledged(bank)).toEqual([second]);
    expect(await world.run(bank)).toBe('DRAINED');
  });

  it('a worker that was away for so long that another took over sends nothing more', async () => {
    const bank = await newBank();
    await tell(bank, 1, 1, 1, 1);
    world.answer = async ({ n }) => {
      if (world.numbers(bank).length === 1) {
        await fresh.database.query('UPDATE webhooks SET epoch = epoch + 1 WHERE participant_id = $1', [bank]);
        world.clock.advance(4_000);
      }
      return n > 0 ? TAKEN : BROKEN;
    };
    expect(await world.run(bank)).toBe('MORE');
    expect(world.numbers(bank)).toHaveLength(1);
  });
});

describe('a lease', () => {
  it('that is being renewed holds every push back until that is known', async () => {
    const bank = await newBank();
    await tell(bank, 1, 2, 3, 1, 2, 3, 1, 2, 3);
    const store = new PgDeliveryStore(fresh.database, 10_000);
    let pushedMeanwhile = -1;
    store.renew = async () => {
      const before = world.numbers(bank).length;
      // Long enough for a lane that would not wait.
      for (let i = 0; i < 50; i++) await new Promise(setImmediate);
      pushedMeanwhile = world.numbers(bank).length - before;
      return false;
    };
    world.answer = () => {
      world.clock.advance(4_000);
      return TAKEN;
    };
    expect(await world.deliver(store).run(bank)).toBe('MORE');
    expect(pushedMeanwhile).toBe(0);
  });

  it('is given back only when no push is under way any more, also where one lane broke', async () => {
    const bank = await newBank();
    const [first] = await tell(bank, 1, 1, 2);
    const store = new PgDeliveryStore(fresh.database, 10_000);
    store.renew = () => Promise.reject(new Error('no database'));
    let slow = 0;
    const release = store.release.bind(store);
    let releasedWith = -1;
    store.release = (...given) => {
      releasedWith = slow;
      return release(...given);
    };
    world.answer = async ({ n }) => {
      if (n === first) {
        while (slow === 0) await new Promise(setImmediate);
        world.clock.advance(4_000);
        return TAKEN;
      }
      slow++;
      for (let i = 0; i < 200; i++) await new Promise(setImmediate);
      slow--;
      return TAKEN;
    };
    await expect(world.deliver(store).run(bank)).rejects.toThrow('no database');
    expect(releasedWith).toBe(0);
    expect(await world.unacknowledged(bank)).toHaveLength(1);
  });
});

describe('a dead letter', () => {
  it('is what was tried for three days; the later events of its subject go on, it can still be polled, and it can be sent again', async () => {
    const bank = await newBank();
    const [bad, behind] = await tell(bank, 1, 1);
    world.answer = ({ n }) => (n === bad ? REJECTED : TAKEN);
    await world.run(bank);
    world.clock.advance(3 * DAY_MS - 1);
    expect(await world.webhooks.giveUp()).toBe(0);
    world.clock.advance(1);
    expect(await world.webhooks.giveUp()).toBe(1);
    expect(await world.webhooks.giveUp()).toBe(0);
    const [letter] = await world.book.deadLetters([bank], 10);
    expect(letter).toMatchObject({ participant: bank, kind: 'rating.changed', failures: 1, failure: { err: 'no_such_customer' } });
    await world.run(bank);
    expect(world.numbers(bank)).toEqual([bad, behind]);
    expect((await new PgEventQueue(fresh.database).waiting(bank, 10, world.clock.now())).map(({ id }) => id)).toEqual([letter!.event]);
    world.answer = () => TAKEN;
    expect(await world.webhooks.resend(bank, ['00000000-0000-7000-8000-000000000000'], bank)).toBe(0);
    const both = await Promise.all([world.webhooks.resend(bank, [letter!.event], bank), world.webhooks.resend(bank, undefined, bank)]);
    expect(both.reduce((a, b) => a + b)).toBe(1);
    expect(await world.book.deadLetters([bank], 10)).toEqual([]);
    await world.run(bank);
    expect(world.numbers(bank)).toEqual([bad, behind, bad]);
    expect(await world.unacknowledged(bank)).toEqual([]);
    expect(await world.factKinds(bank)).toEqual(expect.arrayContaining(['event.given_up', 'webhook.resent']));
  });

  it('is everything that waited three days for an endpoint in trouble, and nothing younger', async () => {
    const bank = await newBank();
    const [first, ...old] = await tell(bank, 1, 2, 3, 4);
    world.answer = () => BROKEN;
    await world.run(bank);
    world.clock.advance(2 * DAY_MS);
    const [young] = await tell(bank, 5);
    world.clock.advance(DAY_MS);
    expect(await world.webhooks.giveUp()).toBe(4);
    expect(await world.book.backlog([bank])).toEqual(new Map([[bank, { waiting: 1, failing: 0, dead: 4 }]]));
    world.answer = () => TAKEN;
    await world.run(bank);
    expect(await world.unacknowledged(bank)).toEqual([first, ...old]);
    expect(world.numbers(bank).at(-1)).toBe(young);
    const page = await world.book.deadLetters([bank], 3);
    expect(page).toHaveLength(3);
    // Whoever sends each page again still comes to the next one.
    const sent = page.map(({ event }) => event);
    expect(await world.webhooks.resend(bank, sent, bank)).toBe(3);
    const rest = await world.book.deadLetters([bank], 3, page.at(-1));
    expect(rest).toHaveLength(1);
    expect(sent).not.toContain(rest[0]!.event);
    expect(await world.webhooks.resend(bank, undefined, bank)).toBe(1);
    await world.run(bank);
    expect(await world.unacknowledged(bank)).toEqual([]);
  });

  it('sent again to an endpoint still in trouble gets three days anew', async () => {
    const bank = await newBank();
    await tell(bank, 1);
    world.answer = () => BROKEN;
    for (let i = 0; i < 4; i++) {
      await world.run(bank);
      world.clock.advance(3_600_000);
    }
    world.clock.advance(3 * DAY_MS);
    expect(await world.webhooks.giveUp()).toBe(1);
    await world.webhooks.resend(bank, undefined, 'otto');
    expect(await world.webhooks.giveUp()).toBe(0);
    await world.run(bank);
    expect(await world.book.backlog([bank])).toEqual(new Map([[bank, { waiting: 1, failing: 1, dead: 0 }]]));
  });

  it('that another release gave up, or sent again, is one all the same', async () => {
    const bank = await newBank();
    const [bad] = await tell(bank, 1);
    world.answer = () => REJECTED;
    await world.run(bank);
    // As the release before does it: it knows no mark on the event.
    await fresh.database.query('UPDATE event_pushes SET dead_at = retry_at WHERE participant_id = $1', [bank]);
    world.clock.advance(3_600_000);
    expect(await world.run(bank)).toBe('DRAINED');
    expect(world.numbers(bank)).toEqual([bad]);
    await fresh.database.query('UPDATE event_pushes SET dead_at = NULL, first_failed_at = $2 WHERE participant_id = $1', [
      ...[bank, world.clock.now()],
    ]);
    await fresh.database.query('UPDATE events SET dead_at = at WHERE participant_id = $1', [bank]);
    world.answer = () => TAKEN;
    await world.webhooks.giveUp();
    expect(await world.run(bank)).toBe('DRAINED');
    expect(world.numbers(bank)).toEqual([bad, bad]);
    expect(await world.unacknowledged(bank)).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Consent, readNarrowing } from '#consents';
import { type ShardedId, systemClock } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { performance, rating, violation } from '#records/testing/records';
import { Disputes } from '../dispute/disputes.js';
import { DisclosureWorld } from '../testing/disclosure-world.js';
import { nodeClerk } from './node-notary.js';
import { PgExchange } from './pg-exchange.js';

const asked = { threshold: { atLeast: 650 as const }, dataLifeSeconds: 60 };
const evidence = { participant: 'bank-a', body: new TextEncoder().encode('{}') };

let fresh: FreshDatabase;
let world: DisclosureWorld;
beforeAll(async () => {
  fresh = await freshDatabase();
  world = new DisclosureWorld(fresh.database);
});
afterAll(() => fresh.close());

type Customer = { readonly subject: ShardedId; readonly ref: ShardedId };

/** Bank A's customer, of whom bank B has said more. */
async function customer(): Promise<Customer> {
  const of = await world.subject();
  await world.reportedBy('bank-b', of, 700);
  return of;
}

async function scoreOf({ subject }: Customer): Promise<number> {
  const [row] = await fresh.database.query<{ score: number }>('SELECT score FROM standings WHERE subject = $1', [subject.uuid]);
  return row!.score;
}

async function nextDay(of: Customer, consent: Consent): Promise<string> {
  await world.aDayLater(of);
  return await world.outcome(consent);
}

const rated = (score: number) => ({ kind: 'rating', rating: rating(score) });
const frozen = (consent: Consent) => world.count('frozen_contributions', `consent = '${consent.id.uuid}'`);

describe('a bank with a threshold consent that furnishes records itself', () => {
  it('searches for the score by its own ratings, day after day, and hears the same', async () => {
    const of = await customer();
    const consent = await world.granted(of, asked);
    const [answers, scores]: [string[], number[]] = [[], []];
    let [low, high] = [350, 950];
    for (let day = 0; day < 9; day++) {
      const word = Math.floor((low + high) / 2);
      await world.report(of.ref, rated(word));
      answers.push(await nextDay(of, consent));
      scores.push(await scoreOf(of));
      if (scores.at(-1)! >= 650) high = word;
      else low = word;
    }
    // Its records do move the score, down and up past the threshold: only not for it.
    expect([Math.min(...scores) < 650, Math.max(...scores) >= 650]).toEqual([true, true]);
    expect(new Set(answers).size).toBe(1);
  });

  it('moves nothing by a correction, a withdrawal, a violation, its clearance, a flag or an answer to a dispute', async () => {
    const of = await customer();
    const good = await world.report(of.ref, rated(950));
    const consent = await world.granted(of, asked);
    const disputes = new Disputes(new PgExchange(fresh.database), nodeClerk, systemClock);
    const name = (jti: string) => ({ iss: 'bank-a', jti });
    const flag = { openedBy: 'FURNISHER' as const, caller: 'bank-a', code: 'INACCURATE' as const };
    let jti = good;
    const moves: (() => Promise<unknown>)[] = [
      async () => void (jti = await world.report(of.ref, { kind: 'correction', correction: { replaces: jti, rating: rating(350) } })),
      () => world.report(of.ref, { kind: 'performance', performance: performance('97', '900.00', 'L6543') }),
      () => disputes.open(of.subject, { ...flag, record: name(jti) }),
      () => world.report(of.ref, { kind: 'withdrawal', withdrawal: { replaces: jti } }),
      async () => void (jti = await world.report(of.ref, { kind: 'violation', violation: violation('SEVERE', new Date()) })),
      () => world.report(of.ref, { kind: 'clearance', clearance: { clears: jti } }),
      async () => {
        const own = await world.report(of.ref, rated(350));
        const { dispute } = await disputes.open(of.subject, {
          openedBy: 'SUBJECT',
          caller: 'wallet',
          key: 'frozen-dispute',
          code: 'NOT_MINE',
          record: name(own),
        });
        const verified = { answer: 'VERIFIED' as const, evidenceDigest: 'e'.repeat(64) };
        expect(await nextDay(of, consent)).toBe('Y');
        await disputes.answer('bank-a', { shard: of.subject.shard, uuid: dispute.id }, verified, evidence);
      },
    ];
    expect(await world.outcome(consent)).toBe('Y');
    const scores = new Set<number>();
    for (const move of moves) {
      await move();
      scores.add(await scoreOf(of));
      expect(await nextDay(of, consent)).toBe('Y');
    }
    expect([scores.size > 3, Math.min(...scores) < 650]).toEqual([true, true]);
  });

  it('hears what others change, as before', async () => {
    const of = await customer();
    const consent = await world.granted(of, asked);
    await world.report(of.ref, rated(350));
    expect(await world.outcome(consent)).toBe('Y');
    await world.reportedBy('bank-c', of, 350);
    expect(await nextDay(of, consent)).toBe('N');
  });

  it('is given one look at its own part by each grant of the subject, and none by narrowing, a pause, or an older consent', async () => {
    const of = await customer();
    const first = await world.granted(of, asked);
    await world.report(of.ref, rated(350));
    await world.act(first, { kind: 'PAUSE' });
    await world.act(first, { kind: 'RESUME' });
    await world.act(first, {
      kind: 'NARROW',
      smaller: readNarrowing({ dataLifeSeconds: 60, fetch: { type: 'PERIODIC', count: 9, every: 'DAY' } }),
    });
    expect(await nextDay(of, first)).toBe('Y');
    const second = await world.granted(of, asked);
    await world.report(of.ref, rated(950));
    expect([await nextDay(of, second), await nextDay(of, first), await nextDay(of, second)]).toEqual(['N', 'Y', 'N']);
  });

  it('is frozen as well where claims were narrowed to a threshold', async () => {
    const of = await customer();
    const consent = await world.granted(of, { claims: ['score'] });
    expect(await frozen(consent)).toBe(0);
    await world.report(of.ref, rated(350));
    await world.act(consent, { kind: 'NARROW', smaller: readNarrowing({ threshold: { atLeast: 650 } }) });
    await world.report(of.ref, rated(950));
    expect(await world.outcome(consent)).toBe('N');
  });

  it.each(['REVOKE', 'WITHDRAW', 'LINK_ENDED'] as const)('%s: what was kept for it ends with the consent', async (kind) => {
    const consent = await world.granted(await customer(), asked);
    expect(await frozen(consent)).toBe(1);
    await world.act(consent, { kind });
    expect(await frozen(consent)).toBe(0);
  });

  it('has nothing of its own counted where a consent has no such row', async () => {
    const of = await world.subject(900);
    const consent = await world.granted(of, asked);
    expect(await world.outcome(consent)).toBe('Y');
    await fresh.database.query('DELETE FROM frozen_contributions WHERE shard = $1 AND consent = $2', [consent.id.shard, consent.id.uuid]);
    await world.aDayLater(of);
    expect(await world.outcome(consent)).toBe('NA');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Statement } from '#records';
import { jtiOf, performance, rating, violation } from '#records/testing/records';
import { contributionsOf, type Contributions, type OwnThen } from '../contributions.js';
import type { DisputedRecord } from '../dispute/disputed-record.js';
import { frozenRating, type ThresholdGrounds } from './frozen-rating.js';
import { giveAnswer, type GivenAnswer } from './threshold-answer.js';

const DAY_MS = 86_400_000;
const grantedAt = new Date('2026-11-22T08:00:00.000Z');
const after = (days: number) => new Date(grantedAt.getTime() + days * DAY_MS);
let n = 0;

function record(iss: string, body: Statement, asOf = grantedAt, validUntil = after(900)) {
  const jti = jtiOf(++n);
  return { iss, jti, rootJti: jti, asOf, validUntil, body };
}
const rated = (iss: string, score: number, ...times: Date[]) => record(iss, { kind: 'rating', rating: rating(score) }, ...times);
const nothing: Contributions = { records: [], disputes: [] };

const statement: fc.Arbitrary<Statement> = fc.oneof(
  fc.integer({ min: 350, max: 950 }).map((score) => ({ kind: 'rating' as const, rating: rating(score) })),
  fc.constantFrom('11', '78', '97').map((status) => ({ kind: 'performance' as const, performance: performance(status as '11') })),
  fc
    .constantFrom('MINOR', 'SEVERE')
    .map((severity) => ({ kind: 'violation' as const, violation: violation(severity as 'MINOR', grantedAt) })),
);
const day = fc.integer({ min: -300, max: 300 }).map(after);
const part = (iss: string): fc.Arbitrary<Contributions> =>
  fc.array(fc.record({ body: statement, asOf: day, validUntil: day, disputed: fc.boolean() }), { maxLength: 6 }).map((all) => {
    const records = all.map(({ body, asOf, validUntil }) => record(iss, body, asOf, validUntil));
    return { records, disputes: records.filter((_, i) => all[i]!.disputed).map(({ rootJti }) => disputed(iss, rootJti)) };
  });

function disputed(iss: string, rootJti: string): DisputedRecord {
  return { dispute: jtiOf(++n), iss, rootJti, score: 'EXCLUDE', capPoints: 0, restrictions: 'KEEP' };
}

function grounds(others: Contributions, ours: Contributions, own: OwnThen | undefined): ThresholdGrounds {
  const all = { records: [...others.records, ...ours.records], disputes: [...others.disputes, ...ours.disputes] };
  return { kind: 'INDIVIDUAL', links: [], ...all, own };
}
const asOfGrant = (ours: Contributions): OwnThen => contributionsOf('bank-a', ours, grantedAt);

describe('the score that a threshold is answered by', () => {
  it('is the same whatever its recipient furnishes, corrects, withdraws or has disputed after the grant', () => {
    fc.assert(
      fc.property(part('bank-b'), part('bank-a'), part('bank-a'), fc.integer({ min: 0, max: 300 }), (others, then, now, days) => {
        const own = asOfGrant(then);
        const [without, moved] = [then, now].map((ours) => frozenRating('bank-a', grounds(others, ours, own), after(days)));
        expect(moved).toEqual(without);
      }),
    );
  });

  it('moves with what others furnish, as it would have without the recipient’s doing', () => {
    const own = asOfGrant({ ...nothing, records: [rated('bank-a', 700)] });
    const [low, high] = [400, 900].map(
      (score) => frozenRating('bank-a', grounds({ ...nothing, records: [rated('bank-b', score)] }, nothing, own), after(1)).score,
    );
    expect(high! - low!).toBeGreaterThan(90);
    const shown = grounds({ ...nothing, records: [rated('bank-b', 700)] }, { ...nothing, records: [...own.records] }, own);
    expect(frozenRating('bank-a', shown, grantedAt)).toEqual(frozenRating('bank-c', shown, grantedAt));
  });

  it('knows no time for the recipient’s own part: records that were to run out one after the other run out no more', () => {
    const staged = [900, 700, 500].map((score, i) => rated('bank-a', score, after(-1 - i), after(10 * (i + 1))));
    const own = asOfGrant({ ...nothing, records: staged });
    const others = { ...nothing, records: [rated('bank-b', 650)] };
    const scores = [1, 11, 21, 31].map((days) => frozenRating('bank-a', grounds(others, nothing, own), after(days)).score);
    const alone = [1, 11, 21, 31].map((days) => frozenRating('bank-a', grounds(nothing, nothing, own), after(days)));
    // What bank B said grows older for everybody: a point in a month.
    expect(Math.max(...scores) - Math.min(...scores)).toBeLessThanOrEqual(1);
    expect(new Set(alone.map(({ score }) => score)).size).toBe(1);
    expect(alone.every(({ reported }) => reported)).toBe(true);
  });

  it('leaves out what the recipient furnished where nobody knows what there was at the grant', () => {
    const ours = { ...nothing, records: [rated('bank-a', 900)] };
    expect(frozenRating('bank-a', grounds(nothing, ours, undefined), after(1))).toMatchObject({ reported: false });
  });
});

/** A bank that knows the scorecard and what it said itself, and looks for the rating of the other one: each day another word of its own. */
function search(hidden: number, isFrozen: boolean): Set<number> {
  const own = asOfGrant(nothing);
  const others = (score: number): Contributions => ({ ...nothing, records: [rated('bank-b', score)] });
  const seen = (score: number, word: number, at: Date) => {
    const ours = { ...nothing, records: [rated('bank-a', word, at)] };
    return frozenRating('bank-a', grounds(others(score), ours, isFrozen ? own : contributionsOf('bank-a', ours, at)), at);
  };
  let possible = Array.from({ length: 61 }, (_, i) => 350 + 10 * i);
  let given: GivenAnswer | undefined;
  for (let days = 1; days <= 40; days++) {
    // The word that parts what is possible best.
    const parted = (word: number) => possible.filter((score) => seen(score, word, after(days)).score >= 650);
    const words = Array.from({ length: 13 }, (_, i) => 350 + 50 * i);
    const balance = (word: number) => Math.abs(parted(word).length - possible.length / 2);
    const [word] = [...words].sort((a, b) => balance(a) - balance(b));
    const use = { at: after(days), dataLifeSeconds: 60 };
    const { answer, binds } = giveAnswer(given, { atLeast: 650 }, use, seen(hidden, word!, after(days)));
    given = binds;
    const above = new Set(parted(word!));
    possible = possible.filter((score) => above.has(score) === (answer === 'Y'));
  }
  return new Set(possible);
}

describe('a bank that moves the score by its own records and asks each day', () => {
  it.each([430, 700, 910])('learns of %i whether the threshold is met, and nothing more in 40 days', (hidden) => {
    // With its own word frozen at none: 350 to 950 falls into two parts, and both are wide.
    expect(search(hidden, true).size).toBeGreaterThan(20);
    // The same bank where its own records count: this is what the freeze takes from it.
    expect(search(hidden, false).size).toBeLessThan(8);
  });
});

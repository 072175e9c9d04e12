import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordInForce } from '#records';
import { jtiOf, performance, rating, violation } from '#records/testing/records';
import { SCORECARD_2026_1 } from '#scoring';
import type { ImposedRestriction } from '../imposed.js';
import { BUILT_IN_LADDER } from '../ladder.js';
import { firstStanding, type Grounds, type KnownStanding, rescore } from '../rescore.js';
import { deadlinesFrom, extendedDeadlines, readDisputes, resultBy } from './dispute-policy.js';
import type { DisputedRecord } from './disputed-record.js';

const at = new Date('2026-11-20T09:00:00.000Z');
const DAY_MS = 86_400_000;
const subject = { shard: 0 as const, uuid: jtiOf(1) };

const body: fc.Arbitrary<RecordInForce['body']> = fc.oneof(
  fc.integer({ min: 350, max: 950 }).map((score) => ({ kind: 'rating' as const, rating: rating(score) })),
  fc
    .record({ status: fc.constantFrom('11' as const, '78' as const, '97' as const), account: fc.constantFrom('a', 'b', 'c') })
    .map(({ status, account }) => ({
      kind: 'performance' as const,
      performance: { ...performance(status, status === '11' ? '0.00' : '400.00'), account },
    })),
  fc
    .record({ severity: fc.constantFrom('MINOR' as const, 'MAJOR' as const, 'SEVERE' as const), days: fc.integer({ min: 1, max: 60 }) })
    .map(({ severity, days }) => ({ kind: 'violation' as const, violation: violation(severity, new Date(at.getTime() - days * DAY_MS)) })),
);

const records = fc.array(fc.record({ body, iss: fc.constantFrom('bank-a', 'bank-b') }), { minLength: 1, maxLength: 8 }).map((list) =>
  list.map(({ body, iss }, i): RecordInForce => ({
    iss,
    jti: jtiOf(100 + i),
    rootJti: jtiOf(100 + i),
    body,
    asOf: new Date(at.getTime() - (i + 1) * DAY_MS),
    validUntil: new Date(at.getTime() + 90 * DAY_MS),
  })),
);
const treatment = fc.record({
  score: fc.constantFrom('EXCLUDE' as const, 'CAP' as const, 'KEEP' as const),
  capPoints: fc.integer({ min: 1, max: 200 }),
  restrictions: fc.constantFrom('KEEP' as const, 'SUSPEND' as const),
});

function judge(known: KnownStanding, grounds: Partial<Grounds>, when = at): KnownStanding {
  let ids = Math.floor(Math.random() * 1e9);
  const measure = { scorecard: SCORECARD_2026_1, ladder: BUILT_IN_LADDER, at: when, why: 'ENDED' as const, newId: () => jtiOf(++ids) };
  return rescore(known, { records: [], links: [], ...grounds }, measure).next;
}

const first = firstStanding(subject, 'INDIVIDUAL', SCORECARD_2026_1, at);
const disputeOf = ({ iss, rootJti }: RecordInForce, how: Omit<DisputedRecord, 'dispute' | 'iss' | 'rootJti'>): DisputedRecord => ({
  dispute: jtiOf(7),
  iss,
  rootJti,
  ...how,
});
/** What it costs, whatever its name. */
const costOf = ({ restrictions }: KnownStanding) =>
  restrictions
    .map(({ step, services, endsAt, cause }: ImposedRestriction) => [cause?.rootJti, step, services, endsAt?.getTime()].join())
    .sort();

describe('a disputed record', () => {
  it('counts as the policy says and is flagged; verified, everything is as before', () => {
    fc.assert(
      fc.property(records, fc.nat(), treatment, (list, n, how) => {
        const disputed = list[n % list.length]!;
        const before = judge(first, { records: list });
        const during = judge(before, { records: list, disputes: [disputeOf(disputed, how)] });
        const without = judge(first, { records: list.filter((one) => one !== disputed) });
        expect(during.score.disputed).toBe(true);
        expect(during.version).toBe(before.version + 1n);
        if (how.score === 'EXCLUDE') expect(during.score.value).toBe(without.score.value);
        if (how.score === 'KEEP') expect(during.score.value).toBe(before.score.value);
        if (how.score === 'CAP') expect(during.score.value).toBe(Math.min(without.score.value, before.score.value + how.capPoints));
        expect(costOf(during)).toEqual(costOf(how.restrictions === 'SUSPEND' ? without : before));
        const verified = judge(during, { records: list, disputes: [] });
        expect([verified.score, costOf(verified)]).toEqual([before.score, costOf(before)]);
      }),
      { numRuns: 300 },
    );
  });

  it('is not disputed any more when it is past its validity', () => {
    fc.assert(
      fc.property(records, treatment, (list, how) => {
        const during = judge(first, { records: list, disputes: [disputeOf(list[0]!, how)] });
        const later = judge(during, { records: list }, new Date(at.getTime() + 91 * DAY_MS));
        expect([later.disputes, later.score.disputed, later.restrictions]).toEqual([[], undefined, []]);
      }),
    );
  });

  it('does not bring back what an appeal overturned', () => {
    const record: RecordInForce = {
      iss: 'bank-a',
      jti: jtiOf(100),
      rootJti: jtiOf(100),
      asOf: at,
      validUntil: new Date(at.getTime() + 90 * DAY_MS),
      body: { kind: 'violation', violation: violation('MAJOR', at) },
    };
    const orders = { impose: [], lift: [], overturned: [{ iss: 'bank-a', rootJti: jtiOf(100) }] };
    const overturned = judge(judge(first, { records: [record] }), { records: [record], orders });
    const how = { score: 'EXCLUDE', capPoints: 0, restrictions: 'SUSPEND' } as const;
    const during = judge(overturned, { records: [record], disputes: [disputeOf(record, how)] });
    expect([overturned, during, judge(during, { records: [record], disputes: [] })].map(({ restrictions }) => restrictions)).toEqual([
      [],
      [],
      [],
    ]);
  });
});

describe('the clocks of a dispute', () => {
  const policy = readDisputes({ score: 'KEEP', restrictions: 'KEEP', holidays: ['2026-11-24'] }, 'Asia/Shanghai');

  it('count business days of the policy’s place, and days of 24 hours to the answer', () => {
    // A Friday evening in London is a Saturday in Shanghai.
    const friday = new Date('2026-11-20T17:00:00.000Z');
    expect(deadlinesFrom(friday, policy)).toEqual({
      noticeBy: new Date('2026-11-30T16:00:00.000Z'),
      dueAt: new Date('2026-12-20T17:00:00.000Z'),
      dueSoonAt: new Date('2026-12-13T17:00:00.000Z'),
    });
    expect(extendedDeadlines(friday, policy).dueAt).toEqual(new Date('2027-01-04T17:00:00.000Z'));
    expect(resultBy(friday, policy)).toEqual(new Date('2026-11-30T16:00:00.000Z'));
  });
});

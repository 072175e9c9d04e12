import { describe, expect, it } from 'vitest';
import type { Statement } from '#records';
import { jtiOf, rating } from '#records/testing/records';
import { SCORECARD_2026_1 } from '#scoring';
import { movedItThemselves } from './contributions.js';
import { BUILT_IN_LADDER } from './ladder.js';
import { firstStanding, rescore } from './rescore.js';

const DAY_MS = 86_400_000;
const start = new Date('2026-11-22T08:00:00.000Z');
const after = (days: number) => new Date(start.getTime() + days * DAY_MS);
let n = 0;
const rated = (iss: string, score: number, validUntil = after(90)) => {
  const jti = jtiOf(++n);
  const body: Statement = { kind: 'rating', rating: rating(score) };
  return { iss, jti, rootJti: jti, asOf: start, validUntil, body };
};
type Row = ReturnType<typeof rated>;

/** A standing that was judged by `before`, reviewed with `added` beside it at a later day. */
function untold(before: readonly Row[], added: readonly Row[], days: number): string[] {
  const measure = { scorecard: SCORECARD_2026_1, ladder: BUILT_IN_LADDER, at: start, why: 'ENDED' as const, newId: () => jtiOf(++n) };
  const first = firstStanding({ shard: 0, uuid: jtiOf(++n) }, 'INDIVIDUAL', SCORECARD_2026_1, start);
  const { next } = rescore(first, { records: before, links: [] }, measure);
  const reviewed = {
    records: [...before, ...added],
    links: [],
    isNew: (record: { jti: string }) => added.some(({ jti }) => jti === record.jti),
  };
  return movedItThemselves(next, reviewed, SCORECARD_2026_1, after(days)).sort();
}

const [a, b] = ['bank-a', 'bank-b'];

describe('who is not told that a score changed', () => {
  const rows: [what: string, before: Row[], added: Row[], days: number, untold: string[]][] = [
    ['a bank whose lines came', [rated(b, 500)], [rated(a, 900)], 0, [a]],
    ['a bank whose record ran out', [rated(a, 900, after(5)), rated(b, 500)], [], 5, [a]],
    ['nobody where lines of two banks came', [], [rated(a, 900), rated(b, 500)], 0, []],
    ['nobody where one ran out when lines of another came', [rated(a, 900, after(5))], [rated(b, 500)], 5, []],
    ['a bank whose own lines came, also where those of another say nothing new', [rated(b, 500)], [rated(a, 900), rated(b, 500)], 0, [a]],
    ['nobody where time alone has done it', [rated(a, 900), rated(b, 500)], [], 60, []],
  ];
  it.each(rows)('%s', (_what, before, added, days, expected) => {
    expect(untold(before, added, days)).toEqual(expected);
  });
});

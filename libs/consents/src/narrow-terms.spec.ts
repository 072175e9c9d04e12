import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import type { ConsentTerms } from './consent.js';
import { type Narrowing, narrowTerms } from './narrow-terms.js';
import { someTerms } from './testing/consents.js';

const threshold = (atLeast: number) => ({ threshold: { atLeast } });
const periodic = (count: number, every: 'DAY' | 'WEEK' | 'MONTH') => ({ type: 'PERIODIC' as const, count, every });

describe('terms are made smaller', () => {
  type Row = [what: string, terms: Partial<ConsentTerms>, smaller: Narrowing, isGranted: boolean, result: 'smaller' | string];
  const rows: Row[] = [
    ['nothing', {}, {}, false, 'smaller'],
    ['fewer claims', {}, { scope: { claims: ['score'] } }, true, 'smaller'],
    ['a claim more', {}, { scope: { claims: ['score', 'factors'] } }, false, '/claims'],
    ['a threshold for the score', {}, { scope: threshold(650) }, true, 'smaller'],
    ['a threshold for a band alone', { scope: { claims: ['band'] } }, { scope: threshold(650) }, false, '/threshold'],
    ['claims for a threshold', { scope: threshold(650) }, { scope: { claims: ['asOf'] } }, false, '/claims'],
    ['a higher threshold before it is granted', { scope: threshold(650) }, { scope: threshold(700) }, false, 'smaller'],
    ['a lower threshold', { scope: threshold(650) }, { scope: threshold(649) }, false, '/threshold'],
    [
      'a higher threshold afterwards: two of them tell more than one',
      { scope: threshold(650) },
      { scope: threshold(700) },
      true,
      '/threshold',
    ],
    ['the same threshold afterwards', { scope: threshold(650) }, { scope: threshold(650) }, true, 'smaller'],
    ['once for often', {}, { fetch: { type: 'ONETIME' } }, true, 'smaller'],
    ['often for once', { fetch: { type: 'ONETIME' } }, { fetch: periodic(1, 'MONTH') }, false, '/fetch'],
    ['rarer', {}, { fetch: periodic(3, 'WEEK') }, true, 'smaller'],
    ['fewer in a shorter time', { fetch: periodic(3, 'WEEK') }, { fetch: periodic(1, 'DAY') }, false, '/fetch'],
    ['more', {}, { fetch: periodic(4, 'DAY') }, false, '/fetch'],
    ['a shorter data life', {}, { dataLifeSeconds: 60 }, true, 'smaller'],
    ['a longer data life', {}, { dataLifeSeconds: 86_401 }, false, '/dataLifeSeconds'],
    ['an earlier end', {}, { expiresAt: new Date('2026-11-23T00:00:00.000Z') }, true, 'smaller'],
    ['a later end', {}, { expiresAt: new Date('2026-12-23T00:00:00.000Z') }, false, '/expiresAt'],
    ['an end before the beginning', {}, { expiresAt: someTerms.notBefore }, false, '/expiresAt'],
  ];
  it.each(rows)('%s', (_what, terms, smaller, isGranted, result) => {
    expect(outcome(() => narrowTerms({ ...someTerms, ...terms }, smaller, isGranted))).toBe(result);
  });

  it('and the purpose and the beginning stay', () => {
    const expiresAt = new Date('2026-11-25T00:00:00.000Z');
    const narrowed = narrowTerms(
      someTerms,
      { scope: { claims: ['asOf'] }, fetch: { type: 'ONETIME' }, dataLifeSeconds: 60, expiresAt },
      false,
    );
    expect(narrowed).toEqual({ ...someTerms, scope: { claims: ['asOf'] }, fetch: { type: 'ONETIME' }, dataLifeSeconds: 60, expiresAt });
  });
});

function outcome(narrow: () => ConsentTerms): string {
  try {
    return narrow() && 'smaller';
  } catch (error) {
    if (error instanceof Refusal && error.code === 'consent.wider') return error.hints.field!;
    throw error;
  }
}

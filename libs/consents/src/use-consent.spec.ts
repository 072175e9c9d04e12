import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { type CallBudget, FULL_BUDGET } from './call-budget.js';
import type { Consent } from './consent.js';
import { judgeUses } from './judge-uses.js';
import { aConsent, consentAt, someCallTerms as terms, someTerms } from './testing/consents.js';
import { useConsent, type UseWish } from './use-consent.js';

const { id, link } = aConsent();
const wish: UseWish = { participant: 'bank-a', consent: id, ref: link };
const later = (ms: number) => new Date(consentAt.getTime() + ms);

function refusalOf(consent: Consent | undefined, change: Partial<UseWish> = {}, at = consentAt, budget: CallBudget = FULL_BUDGET): Refusal {
  try {
    useConsent(consent, { ...wish, ...change }, { at, budget, terms });
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was allowed');
}

describe('a read under a consent', () => {
  it('tells what the consent names, and is counted', () => {
    const { use, next, budget, consumed } = useConsent(aConsent(), wish, { at: consentAt, budget: undefined, terms });
    expect(use).toMatchObject({ n: 1, scope: { claims: ['score', 'band', 'asOf'] }, dataLifeSeconds: 86_400, at: consentAt });
    expect([next.uses, next.period, consumed]).toEqual([1, { start: '2026-11-22', uses: 1 }, false]);
    expect(budget).toEqual({ day: '2026-11-22', dayCalls: 1, month: '2026-11-01', monthCalls: 1 });
  });

  it('may ask for less', () => {
    const less = {
      ...wish,
      claims: ['band' as const],
      dataLifeSeconds: 60,
      purpose: 'ACCOUNT_REVIEW' as const,
      fetchType: 'PERIODIC' as const,
    };
    const { use } = useConsent(aConsent(), less, { at: consentAt, budget: undefined, terms });
    expect(use).toMatchObject({ scope: { claims: ['band'] }, dataLifeSeconds: 60 });
  });

  it('may ask to keep the data for just as long', () => {
    const { use } = useConsent(aConsent(), { ...wish, dataLifeSeconds: 86_400 }, { at: consentAt, budget: undefined, terms });
    expect(use.dataLifeSeconds).toBe(86_400);
  });

  it('of a threshold is of that threshold', () => {
    const consent = aConsent({ terms: { scope: { threshold: { atLeast: 650 } } } });
    const { use } = useConsent(consent, wish, { at: consentAt, budget: undefined, terms });
    expect(use.scope).toEqual({ threshold: { atLeast: 650 } });
  });

  it('once is the last', () => {
    const consent = aConsent({ terms: { fetch: { type: 'ONETIME' } } });
    expect(useConsent(consent, wish, { at: consentAt, budget: undefined, terms })).toMatchObject({
      consumed: true,
      next: { period: undefined },
    });
  });

  const other = { shard: 5, uuid: '01939a6e-7a00-7abc-8def-0000000000ff' } as const;
  const none: [what: string, consent: Consent | undefined, change: Partial<UseWish>, at?: Date][] = [
    ['there is none', undefined, {}],
    ['of another bank', aConsent({ participant: 'bank-b' }), {}],
    ['for another subject', aConsent(), { ref: other }],
    ['for a reference on another shard', aConsent(), { ref: { ...link, shard: 6 } }],
    ...(['REQUESTED', 'PAUSED', 'REJECTED', 'REVOKED', 'EXPIRED', 'CONSUMED'] as const).map(
      (state): [string, Consent, Partial<UseWish>] => [state, aConsent({ state }), {}],
    ),
    ['not begun', aConsent({ terms: { notBefore: later(1) } }), {}],
    ['at its end', aConsent(), {}, someTerms.expiresAt],
    ['after its end', aConsent(), {}, later(90 * 86_400_000)],
  ];
  it('is refused in the same words where there is no consent in force, whatever the reason', () => {
    const told = none.map(([what, consent, change, at]) => {
      const { kind, code, detail, hints } = refusalOf(consent, { ...change, purpose: 'COLLECTION', claims: ['factors'] }, at);
      return [what, JSON.stringify({ kind, code, detail, hints })];
    });
    expect(told).toEqual(none.map(([what]) => [what, told[0]![1]]));
    expect(refusalOf(undefined)).toMatchObject({ kind: 'forbidden', code: 'consent.required' });
  });

  const byThreshold = aConsent({ terms: { scope: { threshold: { atLeast: 650 } } } });
  const misfits: [attribute: string, consent: Consent, change: Partial<UseWish>][] = [
    ['purpose', aConsent(), { purpose: 'COLLECTION' }],
    ['claims', aConsent(), { claims: ['score', 'factors'] }],
    ['claims', byThreshold, { claims: ['score'] }],
    ['threshold', aConsent(), { threshold: { atLeast: 650 } }],
    ['threshold', byThreshold, { threshold: { atLeast: 651 } }],
    ['fetch_type', aConsent(), { fetchType: 'ONETIME' }],
    ['data_life', aConsent(), { dataLifeSeconds: 86_401 }],
    ['frequency', aConsent({ period: { start: '2026-11-22', uses: 3 } }), {}],
  ];
  it.each(misfits)('names the attribute that does not fit: %s', (attribute, consent, change) => {
    expect(refusalOf(consent, change)).toMatchObject({ kind: 'precondition', code: `consent.${attribute}` });
  });

  it('has its frequency again in the next local period', () => {
    const spent = aConsent({ uses: 3, period: { start: '2026-11-22', uses: 3 } });
    expect(refusalOf(spent).hints.retryAfterSeconds).toBe(8 * 3_600);
    const { next } = useConsent(spent, wish, { at: later(8 * 3_600_000), budget: undefined, terms });
    expect([next.uses, next.period]).toEqual([4, { start: '2026-11-23', uses: 1 }]);
  });

  it('ends with the operator’s ceiling of the day or the month, and says when to come again', () => {
    const day = { day: '2026-11-22', dayCalls: 24, month: '2026-11-01', monthCalls: 24 };
    const month = { day: '2026-11-21', dayCalls: 24, month: '2026-11-01', monthCalls: 240 };
    const told = [day, month].map((budget) => refusalOf(aConsent(), {}, consentAt, budget));
    expect(told.map(({ kind, code, hints }) => [kind, code, hints.limit, hints.retryAfterSeconds])).toEqual([
      ['throttled', 'consent.budget_exhausted', 'callsPerDayMax=24', 8 * 3_600],
      ['throttled', 'consent.budget_exhausted', 'callsPerMonthMax=240', (8 * 24 + 8) * 3_600],
    ]);
    expect(useConsent(aConsent(), wish, { at: later(8 * 3_600_000), budget: day, terms }).budget).toMatchObject({
      dayCalls: 1,
      monthCalls: 25,
    });
  });
});

describe('many reads in one transaction', () => {
  const judge = (consents: readonly (Consent | undefined)[], budget: CallBudget = FULL_BUDGET) => {
    const wishes = consents.map((consent): UseWish => ({ ...wish, consent: consent?.id ?? other.id }));
    const held = { at: consentAt, consents: consents.map((consent) => consent && { consent, budget }) };
    const { answers, counted, consumed } = judgeUses(wishes, held, terms);
    return { told: answers.map((answer) => (answer instanceof Refusal ? answer.code : answer.n)), counted, consumed };
  };
  const other = aConsent({ id: { shard: 5, uuid: '01939a6e-7a00-7abc-8def-0000000000aa' } });

  it('see each other under one consent', () => {
    const { told, counted } = judge([aConsent(), aConsent(), undefined, aConsent(), aConsent()]);
    expect(told).toEqual([1, 2, 'consent.required', 3, 'consent.frequency']);
    expect(counted).toMatchObject([{ consent: { uses: 3, period: { uses: 3 } }, budget: { dayCalls: 3 } }]);
  });

  it('see each other under one budget', () => {
    const { told, counted } = judge([aConsent(), other, aConsent()], {
      day: '2026-11-22',
      dayCalls: 22,
      month: '2026-11-01',
      monthCalls: 30,
    });
    expect(told).toEqual([1, 1, 'consent.budget_exhausted']);
    expect(counted.map(({ budget }) => budget.dayCalls)).toEqual([24, 24]);
  });

  it('use a consent for one read up once', () => {
    const once = aConsent({ terms: { fetch: { type: 'ONETIME' } } });
    const { told, counted, consumed } = judge([once, once]);
    expect(told).toEqual([1, 'consent.required']);
    expect(consumed).toMatchObject([{ happened: 'consent.consumed', consent: { state: 'CONSUMED', version: 3, uses: 1 } }]);
    expect(counted).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { parseConsentRequest, type WireConsentRequest } from '#contract';
import { Refusal } from '#kernel';
import type { Link } from './link.js';
import { liveConsentsPerLinkMax, requestConsent } from './request-consent.js';
import { aConsent, consentAt, someTerms } from './testing/consents.js';

const { subject, link: ref, id } = aConsent();
const link: Link = { ref, subject, participant: 'bank-a', createdAt: consentAt };
const body = {
  sub: 'lnk_…',
  purpose: 'ACCOUNT_REVIEW',
  claims: ['score', 'band', 'asOf'],
  fetch: { type: 'PERIODIC', count: 3, every: 'DAY' },
  dataLifeSeconds: 86_400,
  expiresAt: '2026-12-22T08:00:00.000Z',
};

const ask = (change: object = {}, on = link, live = 0) =>
  requestConsent(on, live, parseConsentRequest({ ...body, ...change }) as WireConsentRequest, id.uuid, consentAt);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return `${error.code} ${error.hints.field ?? error.hints.limit ?? ''}`.trim();
    throw error;
  }
  return 'taken';
}

describe('a request for a consent', () => {
  it('is a consent that waits for the subject', () => {
    expect(ask()).toEqual(aConsent({ state: 'REQUESTED', version: 1, by: 'RECIPIENT', terms: someTerms }));
  });

  const rows: [what: string, change: object, result: string][] = [
    ['claims and a threshold', { threshold: { atLeast: 650 } }, 'consent.malformed /claims'],
    ['neither', { claims: undefined }, 'consent.malformed /claims'],
    ['a claim that is none', { claims: ['income'] }, 'consent.malformed /claims/0'],
    ['a claim twice', { claims: ['score', 'score'] }, 'consent.malformed /claims'],
    ['a purpose of its own', { purpose: 'CURIOSITY' }, 'consent.malformed /purpose'],
    ['a field of its own', { note: 'x' }, 'consent.malformed /note'],
    ['a threshold outside the scale', { claims: undefined, threshold: { atLeast: 349 } }, 'consent.malformed /threshold/atLeast'],
    ['a number of reads without a period', { fetch: { type: 'PERIODIC', count: 3 } }, 'consent.malformed /fetch/every'],
    ['a number of reads once', { fetch: { type: 'ONETIME', count: 3 } }, 'consent.malformed /fetch/count'],
    ['an end that is past', { expiresAt: '2026-11-22T08:00:00.000Z' }, 'consent.terms /expiresAt'],
    ['an end before its beginning', { notBefore: '2026-12-22T08:00:00.000Z' }, 'consent.terms /notBefore'],
    ['a life longer than its purpose', { expiresAt: '2027-11-24T08:00:00.000Z' }, 'consent.terms /expiresAt'],
    ['a data life longer than its purpose', { purpose: 'FRAUD_PREVENTION', dataLifeSeconds: 8 * 86_400 }, 'consent.terms /dataLifeSeconds'],
    ['all of the life', { expiresAt: '2027-11-23T08:00:00.000Z' }, 'taken'],
  ];
  it.each(rows)('with %s: %s', (_what, change, result) => {
    expect(refusal(() => ask(change))).toBe(result);
  });

  it('needs an active link, and not too many before it', () => {
    expect(refusal(() => ask({}, { ...link, endedAt: consentAt }))).toBe('link.unknown /sub');
    expect(refusal(() => ask({}, link, liveConsentsPerLinkMax))).toBe('consent.too_many liveConsentsPerLinkMax=20');
    expect(refusal(() => ask({}, link, liveConsentsPerLinkMax - 1))).toBe('taken');
  });
});

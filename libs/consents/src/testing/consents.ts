import type { CallTerms } from '../call-budget.js';
import type { Consent, ConsentTerms } from '../consent.js';
import { LocalPeriods } from '../local-periods.js';

export const consentAt = new Date('2026-11-22T08:00:00.000Z');
const uuid = (n: number) => `01939a6e-7a00-7abc-8def-${String(n).padStart(12, '0')}`;

export const someTerms: ConsentTerms = {
  purpose: 'ACCOUNT_REVIEW',
  scope: { claims: ['score', 'band', 'asOf'] },
  fetch: { type: 'PERIODIC', count: 3, every: 'DAY' },
  dataLifeSeconds: 86_400,
  notBefore: consentAt,
  expiresAt: new Date('2026-12-22T08:00:00.000Z'),
};

/** A consent that bank-a has and may use now, with something changed. */
export function aConsent(change: Partial<Omit<Consent, 'terms'>> & { readonly terms?: Partial<ConsentTerms> } = {}): Consent {
  const { terms, ...rest } = change;
  return {
    id: { shard: 5, uuid: uuid(1) },
    subject: { shard: 5, uuid: uuid(2) },
    link: { shard: 5, uuid: uuid(3) },
    participant: 'bank-a',
    terms: { ...someTerms, ...terms },
    state: 'ACTIVE',
    version: 2,
    by: 'SUBJECT',
    requestedAt: consentAt,
    changedAt: consentAt,
    uses: 0,
    ...rest,
  };
}

export const someCallTerms: CallTerms = { callsPerDayMax: 24, callsPerMonthMax: 240, calendar: new LocalPeriods('Asia/Shanghai') };

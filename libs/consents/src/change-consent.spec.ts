import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RATING_CLAIMS } from '#contract';
import { Refusal } from '#kernel';
import { changeConsent, type ConsentAction, type ConsentChange, consentFact } from './change-consent.js';
import { type Consent, type ConsentState, isLive, stateAt } from './consent.js';
import { aConsent, consentAt, someTerms } from './testing/consents.js';

const KINDS = ['GRANT', 'NARROW', 'REJECT', 'PAUSE', 'RESUME', 'REVOKE', 'WITHDRAW', 'LINK_ENDED', 'EXPIRE', 'CONSUME'] as const;
const later = new Date(consentAt.getTime() + 60_000);

const action = (kind: ConsentAction['kind'], claims: readonly (typeof RATING_CLAIMS)[number][] = ['score']): ConsentAction =>
  kind === 'GRANT' || kind === 'NARROW' ? { kind, smaller: { scope: { claims } } } : { kind };

/** `-`: so already. A word in lower case: what happened, and where it leads. */
function outcome(change: () => ConsentChange | undefined): string {
  try {
    const changed = change();
    return changed ? `${changed.happened.replace('consent.', '')} ${changed.consent.state}` : '-';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('what becomes of a consent', () => {
  const no = 'consent.state';
  const rows: Record<ConsentState, string[]> = {
    REQUESTED: ['granted ACTIVE', no, 'rejected REJECTED', no, no, no, 'revoked REVOKED', 'revoked REVOKED', 'expired EXPIRED', no],
    ACTIVE: [
      no,
      'narrowed ACTIVE',
      no,
      'paused PAUSED',
      '-',
      'revoked REVOKED',
      'revoked REVOKED',
      'revoked REVOKED',
      'expired EXPIRED',
      'consumed CONSUMED',
    ],
    PAUSED: [
      no,
      'narrowed PAUSED',
      no,
      '-',
      'resumed ACTIVE',
      'revoked REVOKED',
      'revoked REVOKED',
      'revoked REVOKED',
      'expired EXPIRED',
      no,
    ],
    REJECTED: [no, no, '-', no, no, no, no, no, no, no],
    REVOKED: [no, no, no, no, no, '-', '-', '-', no, no],
    EXPIRED: [no, no, no, no, no, no, no, no, '-', no],
    CONSUMED: [no, no, no, no, no, no, no, no, no, '-'],
  };
  it.each(Object.entries(rows) as [ConsentState, string[]][])(`from %s by ${KINDS.join(', ')}`, (state, results) => {
    expect(KINDS.map((kind) => outcome(() => changeConsent(aConsent({ state }), action(kind), later)))).toEqual(results);
  });

  it('granted again with nothing smaller, it stands; with less, it is refused: narrow it', () => {
    expect(changeConsent(aConsent(), { kind: 'GRANT', smaller: {} }, later)).toBeUndefined();
    expect(outcome(() => changeConsent(aConsent(), action('GRANT'), later))).toBe('consent.state');
  });

  it('narrowed to what it is, nothing happened', () => {
    expect(changeConsent(aConsent(), { kind: 'NARROW', smaller: { dataLifeSeconds: someTerms.dataLifeSeconds } }, later)).toBeUndefined();
  });

  it('is over at the very moment of its end, whether anybody wrote it down or not', () => {
    const { expiresAt } = someTerms;
    expect(stateAt(aConsent(), new Date(expiresAt.getTime() - 1))).toBe('ACTIVE');
    expect(stateAt(aConsent(), expiresAt)).toBe('EXPIRED');
    expect(outcome(() => changeConsent(aConsent({ state: 'PAUSED' }), { kind: 'RESUME' }, expiresAt))).toBe('consent.state');
    expect(outcome(() => changeConsent(aConsent(), { kind: 'EXPIRE' }, expiresAt))).toBe('expired EXPIRED');
  });

  it('says who did it: version, actor and time', () => {
    const { consent } = changeConsent(aConsent(), { kind: 'WITHDRAW' }, later)!;
    expect(consent).toEqual(aConsent({ state: 'REVOKED', version: 3, by: 'RECIPIENT', changedAt: later }));
  });

  it('leaves a fact of ids and a commitment only', () => {
    const change = changeConsent(aConsent(), { kind: 'REVOKE' }, later)!;
    expect(consentFact(change, 'C', 'wallet')).toEqual({
      shard: 5,
      kind: 'consent.revoked',
      subject: change.consent.subject.uuid,
      participant: 'bank-a',
      body: { consent: expect.stringMatching(/^cns_/) as string, version: 3, commitment: 'C', via: 'wallet' },
    });
  });
});

describe('whatever is done, in whatever order', () => {
  const claims = fc.subarray([...RATING_CLAIMS], { minLength: 1 });
  const step = fc.record({
    kind: fc.constantFrom(...KINDS),
    claims,
    days: fc.integer({ min: -3, max: 40 }),
    waitMs: fc.nat(20 * 86_400_000),
  });

  it('versions count up by one, what ended stays ended, terms only shrink, and a call repeated changes nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        let at = consentAt.getTime();
        let known: Consent = aConsent({
          state: 'REQUESTED',
          version: 1,
          by: 'RECIPIENT',
          terms: { scope: { claims: [...RATING_CLAIMS] } },
        });
        for (const { kind, claims: some, days, waitMs } of steps) {
          at += waitMs;
          const expiresAt = new Date(consentAt.getTime() + days * 86_400_000);
          const smaller = { scope: { claims: some }, expiresAt };
          const wish: ConsentAction = kind === 'GRANT' || kind === 'NARROW' ? { kind, smaller } : { kind };
          const next = apply(known, wish, new Date(at));
          if (next === known) continue;
          expect(next.version).toBe(known.version + 1);
          expect(isLive(known)).toBe(true);
          if (kind !== 'EXPIRE') expect(stateAt(known, new Date(at))).not.toBe('EXPIRED');
          expect(next.terms.expiresAt.getTime()).toBeLessThanOrEqual(known.terms.expiresAt.getTime());
          expect(claimsOf(next).filter((claim) => !claimsOf(known).includes(claim))).toEqual([]);
          // Granting with terms is the one call whose repetition might have been meant as another: it is refused or nothing.
          expect(apply(next, wish, new Date(at))).toBe(next);
          known = next;
        }
      }),
    );
  });
});

function apply(consent: Consent, wish: ConsentAction, at: Date): Consent {
  try {
    return changeConsent(consent, wish, at)?.consent ?? consent;
  } catch (error) {
    if (error instanceof Refusal) return consent;
    throw error;
  }
}

const claimsOf = ({ terms: { scope } }: Consent): readonly string[] => ('claims' in scope ? scope.claims : []);

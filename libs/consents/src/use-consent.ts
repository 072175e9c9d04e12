import type { ConsentPurpose, FetchType, RatingClaim } from '#contract';
import { Refusal, type ShardedId } from '#kernel';
import { type CallBudget, type CallTerms, FULL_BUDGET, spendCall } from './call-budget.js';
import { type Consent, type ConsentScope, stateAt } from './consent.js';

/** What a participant wants to read now. What it does not name, it takes as the consent has it. */
export interface UseWish {
  readonly participant: string;
  readonly consent: ShardedId;
  /** The link by which it names the subject. */
  readonly ref: ShardedId;
  readonly purpose?: ConsentPurpose | undefined;
  readonly claims?: readonly RatingClaim[] | undefined;
  readonly threshold?: { readonly atLeast: number } | undefined;
  readonly fetchType?: FetchType | undefined;
  readonly dataLifeSeconds?: number | undefined;
}

/** One read that a consent allows. `n` counts the reads of one consent from 1, without a gap. */
export interface ConsentUse {
  readonly consent: Consent;
  readonly n: number;
  /** What is told and nothing more: the claims asked for, or the consent's threshold. */
  readonly scope: ConsentScope;
  readonly dataLifeSeconds: number;
  readonly at: Date;
}

export interface UseMoment {
  readonly at: Date;
  /** Undefined where nothing was read yet. */
  readonly budget: CallBudget | undefined;
  readonly terms: CallTerms;
}

/**
 * One read under a consent, counted. `consent` is as it was locked (undefined where there is none of that id); `ended` says that this read
 * was its last. Refuses 403 `consent.required`, the same for none, another's, and one that is not in force; 412 `consent.<attribute>`
 * naming what does not fit; 429 `consent.budget_exhausted`.
 */
export function useConsent(
  consent: Consent | undefined,
  wish: UseWish,
  { at, budget, terms }: UseMoment,
): { readonly use: ConsentUse; readonly next: Consent; readonly budget: CallBudget; readonly consumed: boolean } {
  if (!consent || !allows(consent, wish, at)) throw required();
  const scope = fitScope(consent.terms.scope, wish);
  fitAttributes(consent, wish);
  const period = spendFrequency(consent, terms, at);
  const spent = spendCall(budget ?? FULL_BUDGET, terms, at);
  const next = { ...consent, uses: consent.uses + 1, period };
  const dataLifeSeconds = Math.min(wish.dataLifeSeconds ?? Infinity, consent.terms.dataLifeSeconds);
  return {
    use: { consent, n: next.uses, scope, dataLifeSeconds, at },
    next,
    budget: spent,
    consumed: consent.terms.fetch.type === 'ONETIME',
  };
}

function required(): Refusal {
  return new Refusal('forbidden', 'consent.required', 'you have no consent in force of this id for this subject');
}

function allows(consent: Consent, wish: UseWish, at: Date): boolean {
  const isTheirs = consent.participant === wish.participant && consent.link.uuid === wish.ref.uuid && consent.link.shard === wish.ref.shard;
  return isTheirs && stateAt(consent, at) === 'ACTIVE' && consent.terms.notBefore <= at;
}

function fitScope(scope: ConsentScope, { claims, threshold }: UseWish): ConsentScope {
  if ('threshold' in scope) {
    if (claims) throw misfit('claims', 'this consent names a threshold and no claims');
    if (threshold && threshold.atLeast !== scope.threshold.atLeast) throw misfit('threshold', 'this consent names another threshold');
    return scope;
  }
  if (threshold) throw misfit('threshold', 'this consent names claims and no threshold');
  const beyond = claims?.find((claim) => !scope.claims.includes(claim));
  if (beyond) throw misfit('claims', `this consent does not name ${beyond}`);
  return claims ? { claims } : scope;
}

function fitAttributes({ terms }: Consent, { purpose, fetchType, dataLifeSeconds }: UseWish): void {
  if (purpose && purpose !== terms.purpose) throw misfit('purpose', 'this consent has another purpose');
  if (fetchType && fetchType !== terms.fetch.type) throw misfit('fetch_type', `this consent is ${terms.fetch.type}`);
  if (dataLifeSeconds !== undefined && dataLifeSeconds > terms.dataLifeSeconds) {
    throw misfit('data_life', 'this consent does not let you keep data for so long', `dataLifeSecondsMax=${terms.dataLifeSeconds}`);
  }
}

/** The uses of this consent in the calendar period of `at`, this one counted. */
function spendFrequency({ terms: { fetch }, period }: Consent, { calendar }: CallTerms, at: Date): Consent['period'] {
  if (fetch.type === 'ONETIME') return undefined;
  const start = calendar.startOf(fetch.every, at);
  const uses = period?.start === start ? period.uses : 0;
  if (uses < fetch.count) return { start, uses: uses + 1 };
  throw new Refusal('precondition', 'consent.frequency', `this consent allows ${fetch.count} in a ${fetch.every.toLowerCase()}`, {
    limit: `usesPer${fetch.every}Max=${fetch.count}`,
    retryAfterSeconds: calendar.secondsToNext(fetch.every, at),
  });
}

function misfit(attribute: string, detail: string, limit?: string): Refusal {
  return new Refusal('precondition', `consent.${attribute}`, detail, limit === undefined ? {} : { limit });
}

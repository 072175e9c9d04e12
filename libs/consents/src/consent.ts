import type { ConsentPeriod, ConsentPurpose, RatingClaim } from '#contract';
import type { ShardedId } from '#kernel';

/** REQUESTED -> ACTIVE <-> PAUSED -> REVOKED | EXPIRED | CONSUMED, or REJECTED (CONTRACT.md §4). */
export type ConsentState = 'REQUESTED' | 'ACTIVE' | 'PAUSED' | 'REJECTED' | 'REVOKED' | 'EXPIRED' | 'CONSUMED';

/** Claims of the rating, or nothing but whether the score is at least so much. */
export type ConsentScope = { readonly claims: readonly RatingClaim[] } | { readonly threshold: { readonly atLeast: number } };

/** Once, or at most `count` times in each calendar period. */
export type ConsentFetch =
  { readonly type: 'ONETIME' } | { readonly type: 'PERIODIC'; readonly count: number; readonly every: ConsentPeriod };

/** What is allowed. A change only ever makes it smaller. */
export interface ConsentTerms {
  readonly purpose: ConsentPurpose;
  readonly scope: ConsentScope;
  readonly fetch: ConsentFetch;
  /** How long the recipient may keep what it read. */
  readonly dataLifeSeconds: number;
  readonly notBefore: Date;
  /** From this very moment on nothing is read under it. */
  readonly expiresAt: Date;
}

/** Who brought a version about. */
export type ConsentActor = 'RECIPIENT' | 'SUBJECT' | 'PLATFORM';

export interface Consent {
  /** On the subject's shard. */
  readonly id: ShardedId;
  readonly subject: ShardedId;
  /** The link by which the recipient knows the subject. */
  readonly link: ShardedId;
  /** The recipient: consents belong to the organisation, not to a certificate of it. */
  readonly participant: string;
  readonly terms: ConsentTerms;
  readonly state: ConsentState;
  /** Grows by one with every change of state or terms; every version is kept. */
  readonly version: number;
  readonly by: ConsentActor;
  readonly requestedAt: Date;
  readonly changedAt: Date;
  /** Reads so far, and those in the calendar period (of `terms.fetch.every`) of the last one. */
  readonly uses: number;
  readonly period?: { readonly start: string; readonly uses: number } | undefined;
}

const LIVE: ReadonlySet<ConsentState> = new Set(['REQUESTED', 'ACTIVE', 'PAUSED']);

/** Whether anything can still become of it. */
export function isLive({ state }: Pick<Consent, 'state'>): boolean {
  return LIVE.has(state);
}

/** The state at a moment: an expiry that no sweep has written yet counts all the same. */
export function stateAt(consent: Consent, at: Date): ConsentState {
  return isLive(consent) && consent.terms.expiresAt <= at ? 'EXPIRED' : consent.state;
}

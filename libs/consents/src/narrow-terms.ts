import { CONSENT_PERIODS, type WireConsentNarrowing } from '#contract';
import { Refusal } from '#kernel';
import type { ConsentFetch, ConsentScope, ConsentTerms } from './consent.js';

/** What a subject makes smaller; what is undefined stays. */
export interface Narrowing {
  readonly scope?: ConsentScope | undefined;
  readonly fetch?: ConsentFetch | undefined;
  readonly dataLifeSeconds?: number | undefined;
  readonly expiresAt?: Date | undefined;
}

export function readNarrowing({ claims, threshold, fetch, dataLifeSeconds, expiresAt }: WireConsentNarrowing): Narrowing {
  return {
    scope: readScope(claims, threshold),
    fetch,
    dataLifeSeconds,
    expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
  };
}

export function readScope(claims: WireConsentNarrowing['claims'], threshold: WireConsentNarrowing['threshold']): ConsentScope | undefined {
  if (claims) return { claims };
  return threshold && { threshold };
}

/**
 * The terms made smaller. `isGranted`: the recipient may have read under them already, so a threshold stays where it is: every other one
 * would tell more of the score. Refuses 422 `consent.wider` with the field.
 */
export function narrowTerms(
  terms: ConsentTerms,
  { scope, fetch, dataLifeSeconds, expiresAt }: Narrowing,
  isGranted: boolean,
): ConsentTerms {
  if (scope) refuseWider(!isNoWiderScope(terms.scope, scope, isGranted), 'claims' in scope ? '/claims' : '/threshold');
  if (fetch) refuseWider(!isNoWiderFetch(terms.fetch, fetch), '/fetch');
  if (dataLifeSeconds !== undefined) refuseWider(dataLifeSeconds > terms.dataLifeSeconds, '/dataLifeSeconds');
  if (expiresAt) refuseWider(expiresAt > terms.expiresAt || expiresAt <= terms.notBefore, '/expiresAt');
  return {
    ...terms,
    scope: scope ?? terms.scope,
    fetch: fetch ?? terms.fetch,
    dataLifeSeconds: dataLifeSeconds ?? terms.dataLifeSeconds,
    expiresAt: expiresAt ?? terms.expiresAt,
  };
}

function refuseWider(isWider: boolean, field: string): void {
  if (isWider)
    throw new Refusal('unprocessable', 'consent.wider', 'a consent can be made smaller than what was asked, never wider', { field });
}

/** A threshold tells less than the score itself, but not less than a band, whose borders are elsewhere. */
function isNoWiderScope(known: ConsentScope, wish: ConsentScope, isGranted: boolean): boolean {
  if ('claims' in wish) return 'claims' in known && wish.claims.every((claim) => known.claims.includes(claim));
  if ('claims' in known) return known.claims.includes('score');
  const [from, to] = [known.threshold.atLeast, wish.threshold.atLeast];
  return isGranted ? to === from : to >= from;
}

/** So many in a longer period are no more than so many in a shorter one. */
function isNoWiderFetch(known: ConsentFetch, wish: ConsentFetch): boolean {
  if (wish.type === 'ONETIME') return true;
  if (known.type === 'ONETIME') return false;
  return wish.count <= known.count && CONSENT_PERIODS.indexOf(wish.every) >= CONSENT_PERIODS.indexOf(known.every);
}

import { CONSENT_PURPOSES, type WireConsentRequest } from '#contract';
import { invariant, Refusal } from '#kernel';
import type { Consent, ConsentTerms } from './consent.js';
import { isActive, type Link } from './link.js';
import { readScope } from './narrow-terms.js';

/** Consents of one link that may still be used or granted: a subject is not to be flooded with requests. */
export const liveConsentsPerLinkMax = 20;

const DAY_MS = 86_400_000;

/**
 * A participant's request. `live`: how many consents of the link something can still become of. Refuses 404 `link.unknown` for an ended link,
 * 409 `consent.too_many`, and what `readTerms` refuses.
 */
export function requestConsent(link: Link, live: number, wish: WireConsentRequest, uuid: string, at: Date): Consent {
  if (!isActive(link)) throw unknownLink();
  if (live >= liveConsentsPerLinkMax) {
    throw new Refusal('conflict', 'consent.too_many', 'this subject has enough consents and requests of yours: withdraw some', {
      limit: `liveConsentsPerLinkMax=${liveConsentsPerLinkMax}`,
    });
  }
  return {
    id: { shard: link.ref.shard, uuid },
    subject: link.subject,
    link: link.ref,
    participant: link.participant,
    terms: readTerms(wish, at),
    state: 'REQUESTED',
    version: 1,
    by: 'RECIPIENT',
    requestedAt: at,
    changedAt: at,
    uses: 0,
  };
}

/** Another participant's link is as unknown as one that does not exist or is over. */
export function unknownLink(): Refusal {
  return new Refusal('not_found', 'link.unknown', 'you have no active link of this reference', { field: '/sub' });
}

/** Refuses 422 `consent.terms` with the field and the limit of its purpose. */
function readTerms(
  { purpose, claims, threshold, fetch, dataLifeSeconds, notBefore, expiresAt }: WireConsentRequest,
  at: Date,
): ConsentTerms {
  const scope = readScope(claims, threshold);
  invariant(scope, 'the schema asks for claims or a threshold');
  const terms = { purpose, scope, fetch, dataLifeSeconds, notBefore: notBefore ? new Date(notBefore) : at, expiresAt: new Date(expiresAt) };
  const { lifeDaysMax, dataLifeDaysMax } = CONSENT_PURPOSES[purpose];
  if (terms.expiresAt <= at) throw refusedTerms('/expiresAt', 'it would have expired already');
  if (terms.expiresAt <= terms.notBefore) throw refusedTerms('/notBefore', 'it would expire before it begins');
  if (terms.expiresAt.getTime() > at.getTime() + lifeDaysMax * DAY_MS) {
    throw refusedTerms('/expiresAt', `a consent for ${purpose} ends within ${lifeDaysMax} days`, `lifeDaysMax=${lifeDaysMax}`);
  }
  if (dataLifeSeconds * 1_000 > dataLifeDaysMax * DAY_MS) {
    const detail = `what is read for ${purpose} is kept ${dataLifeDaysMax} days at most`;
    throw refusedTerms('/dataLifeSeconds', detail, `dataLifeDaysMax=${dataLifeDaysMax}`);
  }
  return terms;
}

function refusedTerms(field: string, detail: string, limit?: string): Refusal {
  return new Refusal('unprocessable', 'consent.terms', detail, limit === undefined ? { field } : { field, limit });
}

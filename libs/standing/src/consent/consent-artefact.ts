import type { Consent, ConsentTerms } from '#consents';
import { CONSENT_TYP } from '#contract';
import { canonicalBytes, type JsonObject } from '#evidence';
import { formatId } from '#kernel';
import type { Notary } from '../notary.js';

/** What the artefact of a version says of the consent: an explicit list, kept with the version, for the fact commits to it. */
export function consentContent({ id, link, participant, terms, state, version, by, requestedAt, changedAt }: Consent): JsonObject {
  return {
    id: formatId('cns', id),
    version,
    state,
    by,
    subject: formatId('lnk', link),
    recipient: participant,
    ...termsContent(terms),
    requestedAt: requestedAt.toISOString(),
    changedAt: changedAt.toISOString(),
  };
}

/** The terms as everybody reads them. */
export function termsContent({ purpose, scope, fetch, dataLifeSeconds, notBefore, expiresAt }: ConsentTerms): JsonObject {
  return {
    purpose,
    ...('claims' in scope ? { claims: scope.claims } : { threshold: { atLeast: scope.threshold.atLeast } }),
    fetch: { ...fetch },
    dataLifeSeconds,
    notBefore: notBefore.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}

/**
 * The signed artefact of a version (RFC 7519; CONTRACT.md §4): the recipient verifies it offline with our published keys. It is signed when
 * it is given out, so that its key is always one that this recipient verifies; the same key gives the same bytes.
 */
export function consentArtefact(content: JsonObject, notary: Notary): string {
  const text = (name: string): string => content[name] as string;
  const seconds = (name: string): number => Math.floor(Date.parse(text(name)) / 1_000);
  const claims = {
    iss: notary.issuer,
    aud: text('recipient'),
    sub: text('subject'),
    jti: `${text('id')}.${content['version'] as number}`,
    iat: seconds('changedAt'),
    nbf: seconds('notBefore'),
    exp: seconds('expiresAt'),
    consent: inOrder(content),
  };
  return notary.sign(CONSENT_TYP, claims, text('recipient'));
}

/** The database does not keep the order of names; their canonical one (RFC 8785) is the same wherever the content comes from. */
function inOrder(content: JsonObject): JsonObject {
  return JSON.parse(new TextDecoder().decode(canonicalBytes(content))) as JsonObject;
}

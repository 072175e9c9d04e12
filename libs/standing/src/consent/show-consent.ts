import { type Consent, type KeptUse, type KeptVersion, stateAt } from '#consents';
import type { JsonObject } from '#evidence';
import { formatFactId, formatId } from '#kernel';
import type { Notary } from '../notary.js';
import { consentArtefact, consentContent, termsContent } from './consent-artefact.js';

/** A consent as its recipient sees it, with the signed artefact of the version that stands. */
export function showConsent(consent: Consent, at: Date, notary: Notary): JsonObject {
  return {
    id: formatId('cns', consent.id),
    sub: formatId('lnk', consent.link),
    ...bodyOf(consent, at),
    artefact: consentArtefact(consentContent(consent), notary),
  };
}

/** As the subject and the platform's services see it. */
export function showSubjectConsent(consent: Consent, at: Date): JsonObject {
  const { id, subject, link, participant } = consent;
  return {
    id: formatId('cns', id),
    subject: formatId('sub', subject),
    link: formatId('lnk', link),
    recipient: participant,
    ...bodyOf(consent, at),
  };
}

function bodyOf(consent: Consent, at: Date): JsonObject {
  const { terms, version, by, requestedAt, changedAt, uses } = consent;
  return {
    state: stateAt(consent, at),
    version,
    by,
    ...termsContent(terms),
    uses,
    requestedAt: requestedAt.toISOString(),
    changedAt: changedAt.toISOString(),
  };
}

/** Every artefact that the recipient was ever given, signed as it verifies today. */
export function showVersions(versions: readonly KeptVersion[], notary: Notary): JsonObject[] {
  return versions.map(({ content, ...kept }) => ({ ...versionOf(kept), artefact: consentArtefact(content as JsonObject, notary) }));
}

/** The history as the subject sees it: who did what, through which service. */
export function showHistoryOf(versions: readonly KeptVersion[]): JsonObject[] {
  return versions.map(({ content, via, ...kept }) => ({
    ...versionOf(kept),
    via,
    fact: factOf(kept.position),
    content: content as JsonObject,
  }));
}

/** A read as the recipient sees it. */
export function showUse({ n, version, purpose, scope, at, keepUntil }: KeptUse): JsonObject {
  return {
    n,
    version,
    purpose,
    ...('claims' in scope ? { claims: scope.claims } : { threshold: scope.threshold }),
    at: at.toISOString(),
    keepUntil: keepUntil.toISOString(),
  };
}

/** Who saw what, when, why; the fact stands in the log. */
export function showSubjectUse(use: KeptUse): JsonObject {
  const { consent, participant, factSeq } = use;
  const fact = formatFactId(consent.shard, factSeq);
  return { consent: formatId('cns', consent), recipient: participant, ...showUse(use), fact };
}

function versionOf({ version, happened, position }: Pick<KeptVersion, 'version' | 'happened' | 'position'>): JsonObject {
  return { version, happened, at: position.at.toISOString() };
}

function factOf({ shard, seq }: KeptVersion['position']): string {
  return formatFactId(shard, seq);
}

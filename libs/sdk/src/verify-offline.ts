import {
  type AllowanceClaims,
  ALLOWANCE_TYP,
  CONSENT_TYP,
  type ConsentArtefactClaims,
  parseAllowanceClaims,
  parseConsentArtefact,
} from '#contract';
import {
  type EvidenceReport,
  type JsonObject,
  mapVerified,
  nodeCrypto,
  parsePublicJwk,
  parseVkeys,
  type VerificationKey,
  verifyJws,
  verifyRecordEvidence,
} from '#evidence';
import { Refusal, type Verified } from '#kernel';

/** `GET /.well-known/jwks.json`, as kept. */
export interface KeySet {
  readonly keys: readonly object[];
}

const utf8 = new TextEncoder();

/** Verifies signature and form of a decision receipt with no network. Refuses `signature.*`, 401 and 400. `tallystick replay` decides it again. */
export async function verifyDecisionReceipt(receipt: string, keys: KeySet): Promise<Verified<JsonObject>> {
  return mapVerified(await verifyJws(utf8.encode(receipt.trim()), 'decision-receipt+jwt', keyFinder(keys)), ({ payload }) => payload);
}

/**
 * Verifies an allowance with no network: whose it is, and that it is one of this issuer's for this service account. Its time is the spender's to
 * check. Refuses `signature.*`, 400 `allowance.malformed`, 403 `allowance.foreign`.
 */
export async function verifyAllowance(
  token: string,
  keys: KeySet,
  expected: { readonly issuer: string; readonly holder: string },
): Promise<Verified<AllowanceClaims>> {
  const verified = await verifyJws(utf8.encode(token.trim()), ALLOWANCE_TYP, keyFinder(keys));
  return mapVerified(verified, ({ payload }) => {
    const claims = parseAllowanceClaims(payload);
    if (claims.iss !== expected.issuer || claims.holder !== expected.holder) {
      throw new Refusal('forbidden', 'allowance.foreign', `this allowance is ${claims.holder}'s, issued by ${claims.iss}`);
    }
    return claims;
  });
}

/**
 * Verifies the artefact of a consent with no network: that this issuer told this recipient. It says how the consent stood with this version; only a
 * read tells whether it still does. Refuses `signature.*`, 400 `consent.malformed`, 403 `consent.foreign`.
 */
export async function verifyConsent(
  artefact: string,
  keys: KeySet,
  expected: { readonly issuer: string; readonly recipient: string },
): Promise<Verified<ConsentArtefactClaims>> {
  const verified = await verifyJws(utf8.encode(artefact.trim()), CONSENT_TYP, keyFinder(keys));
  return mapVerified(verified, ({ payload }) => {
    const claims = parseConsentArtefact(payload);
    if (claims.iss === expected.issuer && claims.aud === expected.recipient) return claims;
    throw new Refusal('forbidden', 'consent.foreign', `this is a consent for ${claims.aud}, issued by ${claims.iss}`);
  });
}

/**
 * Verifies the evidence of a record with no network, step by step: `verified`, or the step that failed with its code. `logKeys` is the text of the
 * gateway's `log/vkey`, received on another way: the evidence vouches for none of its keys. Refuses what `parseVkeys` refuses.
 */
export async function verifyEvidence(evidence: Uint8Array, logKeys: string): Promise<EvidenceReport> {
  const keys = await parseVkeys(nodeCrypto, logKeys);
  return await verifyRecordEvidence(evidence, { logKeys: keys, receiptKeys: keys.filter(({ name }) => name.endsWith('/receipt')) });
}

/** Looks keys up by their kid. */
export function keyFinder({ keys }: KeySet): (kid: string) => VerificationKey | undefined {
  const known = keys.map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' as const }));
  return (kid) => known.find((key) => key.kid === kid);
}

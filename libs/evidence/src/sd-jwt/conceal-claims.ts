import { hash } from 'node:crypto';
import { encodeBase64Url } from '../jose/base64url.js';
import type { JsonObject, JsonValue } from '../jose/strict-json.js';
import { digestOfDisclosure, encodeDisclosure } from './disclosure.js';

/** What an issuer says: `open` to everybody, and claims that the holder may show one by one. */
export interface ConcealedClaims {
  readonly open: JsonObject;
  readonly claims: readonly (readonly [name: string, value: JsonValue])[];
  /** So many digests are signed whatever the number of claims: decoys (RFC 9901 §4.2.5) make up the rest. */
  readonly digests: number;
  /** 16 bytes that nobody can guess, another for every name it is asked for. */
  readonly saltFor: (name: string) => Uint8Array;
}

/** The payload to sign, with digests in place of the claims, and the disclosures that open them. */
export function concealClaims({ open, claims, digests, saltFor }: ConcealedClaims): {
  payload: JsonObject;
  disclosures: readonly string[];
} {
  const disclosures = claims.map(([name, value]) => encodeDisclosure(encodeBase64Url(saltFor(`claim ${name}`)), name, value));
  const decoys = Array.from({ length: digests - claims.length }, (_, i) => hash('sha256', saltFor(`decoy ${i}`), 'base64url'));
  // Sorted: their order says nothing of which is a decoy.
  const _sd = [...disclosures.map(digestOfDisclosure), ...decoys].sort();
  return { payload: { ...open, _sd, _sd_alg: 'sha-256' }, disclosures };
}

/** An SD-JWT as it is sent (RFC 9901 §4): the JWT, then every disclosure, each followed by a tilde. */
export function joinSdJwt(jwt: string, disclosures: readonly string[]): string {
  return [jwt, ...disclosures, ''].join('~');
}

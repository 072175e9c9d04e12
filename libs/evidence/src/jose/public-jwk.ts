import type { JsonWebKey } from 'node:crypto';
import { Refusal } from '#kernel';
import { canonicalBytes } from '../canonical.js';
import { isSignatureAlgorithm, PUBLIC_MEMBERS, type SignatureAlgorithm } from './algorithm-names.js';

export type { JsonWebKey } from 'node:crypto';

/** A public key as it is written, with its name and the one algorithm it is for. */
export interface PublicJwk {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly jwk: JsonWebKey;
}

const KID_FORM = /^[A-Za-z0-9._~:@+/=-]{1,128}$/;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export function isKid(value: unknown): value is string {
  return typeof value === 'string' && KID_FORM.test(value);
}

/** Reads the form of a public key; that it is one, only its import shows. Refuses `key.private`, `key.malformed`, `key.algorithm_refused`, `key.unsuitable`. */
export function readPublicJwk(input: unknown): PublicJwk {
  if (typeof input !== 'object' || input === null) throw new Refusal('unprocessable', 'key.malformed', 'a key is a JSON object (RFC 7517)');
  const jwk = input as JsonWebKey;
  const { kid, alg, use } = jwk;
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    throw new Refusal(
      'unprocessable',
      'key.private',
      'this is a private key: treat it as compromised, make a new one, send its public half',
    );
  }
  if (!isKid(kid)) throw new Refusal('unprocessable', 'key.malformed', 'kid must be 1 to 128 URL characters', { field: 'kid' });
  if (!isSignatureAlgorithm(alg)) throw new Refusal('unprocessable', 'key.algorithm_refused', 'alg must be ES256, EdDSA or PS256');
  if (use !== undefined && use !== 'sig') throw unsuitableKey(alg);
  return { kid, alg, jwk: publicPart(jwk, alg) };
}

export function unsuitableKey(alg: SignatureAlgorithm): Refusal {
  return new Refusal('unprocessable', 'key.unsuitable', `the key does not fit ${alg}: P-256, Ed25519, or RSA of 2048 bits or more`);
}

/** Only the members that make the public key: nothing private and nothing unknown is kept or published. */
export function publicPart(jwk: JsonWebKey, alg: SignatureAlgorithm): JsonWebKey {
  return Object.fromEntries(PUBLIC_MEMBERS[alg].map((name) => [name, jwk[name]]));
}

export function isForSignatures(jwk: JsonWebKey): boolean {
  const operations = jwk['key_ops'];
  return (jwk['use'] ?? 'sig') === 'sig' && (!Array.isArray(operations) || operations.includes('verify'));
}

/** What the thumbprint of a key is the digest of (RFC 7638): its required members in canonical form. */
export function thumbprintInput(jwk: JsonWebKey): Uint8Array {
  const members = Object.values(PUBLIC_MEMBERS).find((names) => names.every((name) => typeof jwk[name] === 'string'));
  if (!members) throw new TypeError('not a public key of a type we use');
  return canonicalBytes(Object.fromEntries(members.map((name) => [name, jwk[name]])));
}

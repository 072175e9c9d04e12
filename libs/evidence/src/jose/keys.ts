import { createHash, type JsonWebKey, type KeyObject } from 'node:crypto';
import { importPublicKey } from './algorithms.js';
import { isForSignatures, type PublicJwk, readPublicJwk, thumbprintInput, unsuitableKey } from './public-jwk.js';

export type { JsonWebKey } from 'node:crypto';

/** Where a signing key stands; signatures are accepted under READY and ACTIVE keys (CONTRACT.md §1). */
export type VerificationKeyState = 'READY' | 'ACTIVE' | 'RETIRED' | 'COMPROMISED';

/** A public key that somebody registered. */
export interface VerificationKey extends PublicJwk {
  readonly state: VerificationKeyState;
}

/** Keeps the imported key beside the registered one: import costs more than a check. */
const imported = new WeakMap<VerificationKey, KeyObject>();

/**
 * Reads a public key that somebody wants to register. Refuses `key.private` (a private key was sent), `key.malformed`,
 * `key.algorithm_refused` (`alg` must be ES256, EdDSA or PS256) and `key.unsuitable` (type, curve or size does not fit `alg`).
 */
export function parsePublicJwk(input: unknown): PublicJwk {
  const key = readPublicJwk(input);
  if (!importPublicKey(key.jwk, key.alg)) throw unsuitableKey(key.alg);
  return key;
}

/** The key ready to check signatures with; undefined where it does not fit its algorithm or is not for signatures. */
export function publicKeyOf(key: VerificationKey): KeyObject | undefined {
  const known = imported.get(key);
  if (known) return known;
  const fresh = isForSignatures(key.jwk) ? importPublicKey(key.jwk, key.alg) : undefined;
  if (fresh) imported.set(key, fresh);
  return fresh;
}

/** The key's thumbprint (RFC 7638): SHA-256 over its required members in canonical form, base64url. */
export function thumbprint(jwk: JsonWebKey): string {
  return createHash('sha256').update(thumbprintInput(jwk)).digest('base64url');
}

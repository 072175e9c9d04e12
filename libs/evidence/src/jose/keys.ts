import { createHash, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Refusal } from '#kernel';
import { canonicalBytes } from '../canonical.js';
import { ALGORITHMS, importPublicKey, isSignatureAlgorithm, publicPart, type SignatureAlgorithm } from './algorithms.js';

export type { JsonWebKey } from 'node:crypto';

/** Where a signing key stands; signatures are accepted under READY and ACTIVE keys (CONTRACT.md §1). */
export type VerificationKeyState = 'READY' | 'ACTIVE' | 'RETIRED' | 'COMPROMISED';

/** A public key that somebody registered, with the one algorithm it is used for. */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly jwk: JsonWebKey;
  readonly state: VerificationKeyState;
}

const KID_FORM = /^[A-Za-z0-9._~:@+/=-]{1,128}$/;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** Keeps the imported key beside the registered one: import costs more than a check. */
const imported = new WeakMap<VerificationKey, KeyObject>();

export function isKid(value: unknown): value is string {
  return typeof value === 'string' && KID_FORM.test(value);
}

/**
 * Reads a public key that somebody wants to register. Refuses `key.private` (a private key was sent), `key.malformed`,
 * `key.algorithm_refused` (`alg` must be ES256, EdDSA or PS256) and `key.unsuitable` (type, curve or size does not fit `alg`).
 */
export function parsePublicJwk(input: unknown): { kid: string; alg: SignatureAlgorithm; jwk: JsonWebKey } {
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
  const forSigning = use === undefined || use === 'sig';
  if (!forSigning || !importPublicKey(jwk, alg)) {
    throw new Refusal('unprocessable', 'key.unsuitable', `the key does not fit ${alg}: P-256, Ed25519, or RSA of 2048 bits or more`);
  }
  return { kid, alg, jwk: publicPart(jwk, alg) };
}

/** The key ready to check signatures with; undefined where it does not fit its algorithm or is not for signatures. */
export function publicKeyOf(key: VerificationKey): KeyObject | undefined {
  const known = imported.get(key);
  if (known) return known;
  const fresh = isForSignatures(key.jwk) ? importPublicKey(key.jwk, key.alg) : undefined;
  if (fresh) imported.set(key, fresh);
  return fresh;
}

function isForSignatures(jwk: JsonWebKey): boolean {
  const operations = jwk['key_ops'];
  return (jwk['use'] ?? 'sig') === 'sig' && (!Array.isArray(operations) || operations.includes('verify'));
}

/** The key's thumbprint (RFC 7638): SHA-256 over its required members in canonical form, base64url. */
export function thumbprint(jwk: JsonWebKey): string {
  const row = Object.values(ALGORITHMS).find(({ publicMembers }) => publicMembers.every((name) => typeof jwk[name] === 'string'));
  if (!row) throw new TypeError('not a public key of a type we use');
  const members = Object.fromEntries(row.publicMembers.map((name) => [name, jwk[name]]));
  return createHash('sha256').update(canonicalBytes(members)).digest('base64url');
}

import { constants, createPublicKey, type JsonWebKey, type KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto';
import { derOfSignature } from './der-signature.js';

export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'PS256';

/** One row per algorithm: which keys fit it, what of the key is public, and how a signature is checked (RFC 7518, RFC 8037). */
interface Algorithm {
  readonly publicMembers: readonly string[];
  readonly hash: 'sha256' | null;
  fits(jwk: JsonWebKey, key: KeyObject): boolean;
  /** The bare key wherever it can be: to see that an object of options is none, Node 24 throws and catches two errors (some 12 us; 2026-11-22). */
  how(key: KeyObject): KeyObject | VerifyKeyObjectInput;
  /** The signature of a message, as `verify` takes it. */
  encoded(signature: Uint8Array): Uint8Array;
}

export const rsaModulusBitsMin = 2048;
export const rsaModulusBitsMax = 8192;

const asItIs = (signature: Uint8Array): Uint8Array => signature;

export const ALGORITHMS: Readonly<Record<SignatureAlgorithm, Algorithm>> = {
  ES256: {
    publicMembers: ['kty', 'crv', 'x', 'y'],
    hash: 'sha256',
    fits: (jwk) => jwk.kty === 'EC' && jwk.crv === 'P-256',
    how: (key) => key,
    encoded: derOfSignature,
  },
  EdDSA: {
    publicMembers: ['kty', 'crv', 'x'],
    hash: null,
    fits: (jwk) => jwk.kty === 'OKP' && jwk.crv === 'Ed25519',
    how: (key) => key,
    encoded: asItIs,
  },
  PS256: {
    publicMembers: ['kty', 'n', 'e'],
    hash: 'sha256',
    fits: (jwk, key) => jwk.kty === 'RSA' && hasGoodRsaSize(key),
    how: (key) => ({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }),
    encoded: asItIs,
  },
};

export function checkSignature(alg: SignatureAlgorithm, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const { hash, how, encoded } = ALGORITHMS[alg];
  return verify(hash, data, how(key), encoded(signature));
}

/** The same on a thread of its own: whoever checks many keeps more than one core busy and the event loop free. */
export function checkSignatureAside(alg: SignatureAlgorithm, data: Uint8Array, key: KeyObject, signature: Uint8Array): Promise<boolean> {
  const { hash, how, encoded } = ALGORITHMS[alg];
  return new Promise((resolve, reject) => {
    verify(hash, data, how(key), encoded(signature), (error, good) => (error ? reject(error) : resolve(good)));
  });
}

export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return typeof name === 'string' && Object.hasOwn(ALGORITHMS, name);
}

/** The public key of a JWK, or undefined where the JWK is broken or does not fit the algorithm. */
export function importPublicKey(jwk: JsonWebKey, alg: SignatureAlgorithm): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: publicPart(jwk, alg), format: 'jwk' });
    return ALGORITHMS[alg].fits(jwk, key) ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Only the members that make the public key: nothing private and nothing unknown is kept or published. */
export function publicPart(jwk: JsonWebKey, alg: SignatureAlgorithm): JsonWebKey {
  return Object.fromEntries(ALGORITHMS[alg].publicMembers.map((name) => [name, jwk[name]]));
}

function hasGoodRsaSize(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return modulusLength >= rsaModulusBitsMin && modulusLength <= rsaModulusBitsMax && publicExponent >= 65_537n;
}

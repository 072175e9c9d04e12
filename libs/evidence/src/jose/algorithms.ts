import { constants, createPublicKey, type JsonWebKey, type KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto';
import { rsaModulusBitsMax, rsaModulusBitsMin, type SignatureAlgorithm } from './algorithm-names.js';
import { derOfSignature } from './der-signature.js';
import { publicPart } from './public-jwk.js';

/** One row per algorithm: which keys fit it, and how a signature is checked (RFC 7518, RFC 8037). */
interface Algorithm {
  readonly hash: 'sha256' | null;
  fits(jwk: JsonWebKey, key: KeyObject): boolean;
  /** The bare key wherever it can be: to see that an object of options is none, Node 24 throws and catches two errors (some 12 us; 2026-11-22). */
  how(key: KeyObject): KeyObject | VerifyKeyObjectInput;
  /** The signature of a message, as `verify` takes it. */
  encoded(signature: Uint8Array): Uint8Array;
}

const asItIs = (signature: Uint8Array): Uint8Array => signature;

export const ALGORITHMS: Readonly<Record<SignatureAlgorithm, Algorithm>> = {
  ES256: {
    hash: 'sha256',
    fits: (jwk) => jwk.kty === 'EC' && jwk.crv === 'P-256',
    how: (key) => key,
    encoded: derOfSignature,
  },
  EdDSA: {
    hash: null,
    fits: (jwk) => jwk.kty === 'OKP' && jwk.crv === 'Ed25519',
    how: (key) => key,
    encoded: asItIs,
  },
  PS256: {
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

/** The public key of a JWK, or undefined where the JWK is broken or does not fit the algorithm. */
export function importPublicKey(jwk: JsonWebKey, alg: SignatureAlgorithm): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: publicPart(jwk, alg), format: 'jwk' });
    return ALGORITHMS[alg].fits(jwk, key) ? key : undefined;
  } catch {
    return undefined;
  }
}

function hasGoodRsaSize(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return modulusLength >= rsaModulusBitsMin && modulusLength <= rsaModulusBitsMax && publicExponent >= 65_537n;
}

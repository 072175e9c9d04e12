import { constants, type KeyObject, sign, verify } from 'node:crypto';
import type { SignatureAlgorithm } from '../jose/algorithm-names.js';
import { checkSignature, checkSignatureAside } from '../jose/algorithms.js';
import { signatureOfDer } from '../jose/der-signature.js';
import { publicKeyOf, type VerificationKey } from '../jose/keys.js';
import { HTTP_ALGORITHM_NAMES } from './algorithm-names.js';

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

/** What signs messages. The private key does not leave it; `Signer` is one. */
export interface HttpSigner {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  sign(bytes: Uint8Array): Uint8Array;
}

/** One row per registered algorithm: the same key signs records (RFC 7518) and messages (RFC 9421 §3.3); only RSA takes another hash. */
const SIGN: Readonly<Record<SignatureAlgorithm, (bytes: Uint8Array, key: KeyObject) => Uint8Array>> = {
  ES256: (bytes, key) => signatureOfDer(sign('sha256', bytes, key)),
  EdDSA: (bytes, key) => sign(null, bytes, key),
  PS256: (bytes, key) => sign('sha512', bytes, { key, ...PSS }),
};

/** A signer from a private key of the named algorithm. */
export function createHttpSigner({ kid, alg, privateKey }: { kid: string; alg: SignatureAlgorithm; privateKey: KeyObject }): HttpSigner {
  return { kid, alg, sign: (bytes) => SIGN[alg](bytes, privateKey) };
}

/** Whether a signature was made under this key, by `node:crypto`. Undefined where the key does not fit its algorithm (RSA below 2048 bits). */
export function checkWithNode(key: VerificationKey, bytes: Uint8Array, signature: Uint8Array): boolean | undefined {
  const publicKey = publicKeyOf(key);
  if (!publicKey) return undefined;
  if (HTTP_ALGORITHM_NAMES[key.alg] !== 'rsa-pss-sha512') return checkSignature(key.alg, bytes, publicKey, signature);
  return verify('sha512', bytes, { key: publicKey, ...PSS }, signature);
}

/** The same on a thread of its own, so that the event loop of a busy door goes on meanwhile. */
export async function checkAside(key: VerificationKey, bytes: Uint8Array, signature: Uint8Array): Promise<boolean | undefined> {
  const publicKey = publicKeyOf(key);
  if (!publicKey || HTTP_ALGORITHM_NAMES[key.alg] === 'rsa-pss-sha512') return checkWithNode(key, bytes, signature);
  return await checkSignatureAside(key.alg, bytes, publicKey, signature);
}

import type { webcrypto } from 'node:crypto';
import type { SignatureAlgorithm } from '../jose/algorithms.js';
import type { VerificationKey } from '../jose/keys.js';

const { subtle } = globalThis.crypto;

/** One row per registered algorithm, in WebCrypto's words. */
const WEB: Readonly<
  Record<
    SignatureAlgorithm,
    { key: webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | webcrypto.Algorithm; verify: WebVerify }
  >
> = {
  ES256: { key: { name: 'ECDSA', namedCurve: 'P-256' }, verify: { name: 'ECDSA', hash: 'SHA-256' } },
  EdDSA: { key: { name: 'Ed25519' }, verify: { name: 'Ed25519' } },
  PS256: { key: { name: 'RSA-PSS', hash: 'SHA-512' }, verify: { name: 'RSA-PSS', saltLength: 64 } },
};
type WebVerify = webcrypto.Algorithm | webcrypto.EcdsaParams | webcrypto.RsaPssParams;
const rsaModulusBitsMin = 2048;

/** `checkWithNode` for browsers and every other place with WebCrypto. */
export async function checkWithWeb({ alg, jwk }: VerificationKey, bytes: Uint8Array, signature: Uint8Array): Promise<boolean | undefined> {
  const { kty, crv, x, y, n, e } = jwk;
  const members = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined));
  const key = await subtle.importKey('jwk', members, WEB[alg].key, false, ['verify']).catch(() => undefined);
  if (!key || ((key.algorithm as Partial<webcrypto.RsaKeyAlgorithm>).modulusLength ?? rsaModulusBitsMin) < rsaModulusBitsMin)
    return undefined;
  return subtle.verify(WEB[alg].verify, key, new Uint8Array(signature), new Uint8Array(bytes));
}

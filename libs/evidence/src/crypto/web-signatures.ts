import type { webcrypto } from 'node:crypto';
import { rsaModulusBitsMax, rsaModulusBitsMin, type SignatureAlgorithm } from '../jose/algorithm-names.js';
import { isForSignatures, type PublicJwk, publicPart } from '../jose/public-jwk.js';

const { subtle } = globalThis.crypto;

/** Only RSA is used in two ways: records take SHA-256 (RFC 7518), messages SHA-512 (RFC 9421). The salt is as long as the digest. */
export interface RsaDigest {
  readonly hash: 'SHA-256' | 'SHA-512';
  readonly saltLength: 32 | 64;
}

type KeyParams = webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | webcrypto.Algorithm;
type VerifyParams = webcrypto.Algorithm | webcrypto.EcdsaParams | webcrypto.RsaPssParams;

/** One row per registered algorithm, in WebCrypto's words. */
const WEB: Readonly<Record<SignatureAlgorithm, (rsa: RsaDigest) => { key: KeyParams; verify: VerifyParams }>> = {
  ES256: () => ({ key: { name: 'ECDSA', namedCurve: 'P-256' }, verify: { name: 'ECDSA', hash: 'SHA-256' } }),
  EdDSA: () => ({ key: { name: 'Ed25519' }, verify: { name: 'Ed25519' } }),
  PS256: ({ hash, saltLength }) => ({ key: { name: 'RSA-PSS', hash }, verify: { name: 'RSA-PSS', saltLength } }),
};

/** Whether a signature was made under this key, by WebCrypto. Undefined where the key does not fit its algorithm or is not for signatures. */
export async function checkWithWebCrypto(
  key: Pick<PublicJwk, 'alg' | 'jwk'>,
  bytes: Uint8Array,
  signature: Uint8Array,
  rsa: RsaDigest,
): Promise<boolean | undefined> {
  const imported = await importWithWebCrypto(key, rsa);
  return imported && subtle.verify(WEB[key.alg](rsa).verify, imported, new Uint8Array(signature), new Uint8Array(bytes));
}

/** The key, or undefined where it is broken or does not fit its algorithm. */
export async function importWithWebCrypto(
  { alg, jwk }: Pick<PublicJwk, 'alg' | 'jwk'>,
  rsa: RsaDigest,
): Promise<webcrypto.CryptoKey | undefined> {
  if (!isForSignatures(jwk)) return undefined;
  const key = await subtle.importKey('jwk', publicPart(jwk, alg), WEB[alg](rsa).key, false, ['verify']).catch(() => undefined);
  return key && (alg !== 'PS256' || hasGoodRsaSize(key.algorithm as webcrypto.RsaKeyAlgorithm)) ? key : undefined;
}

function hasGoodRsaSize({ modulusLength, publicExponent }: webcrypto.RsaKeyAlgorithm): boolean {
  const exponent = publicExponent.reduce((value, byte) => value * 256 + byte, 0);
  return modulusLength >= rsaModulusBitsMin && modulusLength <= rsaModulusBitsMax && exponent >= 65_537;
}

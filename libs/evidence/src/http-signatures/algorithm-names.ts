import type { SignatureAlgorithm } from '../jose/algorithm-names.js';

/** What RFC 9421 §3.3 calls the algorithm that a registered key is for. */
export const HTTP_ALGORITHM_NAMES = {
  ES256: 'ecdsa-p256-sha256',
  EdDSA: 'ed25519',
  PS256: 'rsa-pss-sha512',
} as const satisfies Readonly<Record<SignatureAlgorithm, string>>;

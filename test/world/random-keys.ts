import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { parsePublicJwk } from '#evidence';
import type { SigningKey } from '#sdk';

const PAIRS: Readonly<Record<SigningKey['alg'], () => KeyPairKeyObjectResult>> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
};
export const KEY_KINDS = Object.keys(PAIRS) as SigningKey['alg'][];

/** A signing key, and its public half as the registry and as openssl want it. */
export interface RandomKey {
  readonly signing: SigningKey;
  readonly publicJwk: ReturnType<typeof parsePublicJwk>;
  readonly publicPem: string;
}

export function freshKey(alg: SigningKey['alg']): RandomKey {
  const { privateKey, publicKey } = PAIRS[alg]();
  const kid = `random-${alg}`;
  return {
    signing: { kid, alg, privateKey },
    publicJwk: parsePublicJwk({ ...publicKey.export({ format: 'jwk' }), kid, alg }),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

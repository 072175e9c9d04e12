import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { SigningKey } from '#sdk';

export const TOY_BANKS = [
  { id: 'bank-a', name: 'Bank A (toy)', authority: 'development-ec' },
  { id: 'bank-b', name: 'Bank B (toy)', authority: 'development-rsa' },
] as const;

export interface ToyBankFiles {
  readonly cert: string;
  readonly key: string;
  /** The authority that issued its certificate. */
  readonly authority: string;
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] };
  readonly signingKey: SigningKey;
}

/** What a toy bank holds: its certificate and keys, from the development PKI folder. */
export function readToyBank(pki: string, { id, authority }: { id: string; authority: string }): ToyBankFiles {
  const read = (name: string) => readFileSync(path.join(pki, 'clients', id, name), 'utf8');
  const jwk = JSON.parse(read('signing-key.jwk.json')) as JsonWebKey & { kid: string; alg: SigningKey['alg'] };
  return {
    cert: read('cert.pem'),
    key: read('key.pem'),
    authority: readFileSync(path.join(pki, 'partners', `${authority}.ca.pem`), 'utf8'),
    jwks: JSON.parse(read('jwks.json')) as ToyBankFiles['jwks'],
    signingKey: { kid: jwk.kid, alg: jwk.alg, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) },
  };
}

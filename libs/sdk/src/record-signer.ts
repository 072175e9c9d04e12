import type { KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';

/** A bank's signing key: `kid` is the name under which its public half is registered. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: 'ES256' | 'EdDSA' | 'PS256';
  readonly privateKey: KeyObject;
}

/** Signs a credit record: a compact JWS with exactly the header names the gateway accepts (CONTRACT.md §2). */
export async function signRecord(payload: object, key: SigningKey): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'credit-record+jwt' })
    .sign(key.privateKey);
}

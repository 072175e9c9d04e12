import type { KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';

/** A bank's signing key: `kid` is the name under which its public half is registered. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: 'ES256' | 'EdDSA' | 'PS256';
  readonly privateKey: KeyObject;
}

/** Signs a credit record: a compact JWS with exactly the header names the gateway accepts (CONTRACT.md §2). */
export function signRecord(payload: object, key: SigningKey): Promise<string> {
  return signCompact('credit-record+jwt', payload, key);
}

export async function signCompact(typ: string, payload: object, { alg, kid, privateKey }: SigningKey): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload))).setProtectedHeader({ alg, kid, typ }).sign(privateKey);
}

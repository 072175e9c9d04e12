import { hash, randomBytes } from 'node:crypto';
import { type Signer, signJws } from '#evidence';
import { uuidV7 } from '#kernel';
import type { Clerk, Notary } from '../notary.js';

/** Node's hashes and chance. */
export const nodeClerk: Clerk = {
  sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
  salt: () => new Uint8Array(randomBytes(16)),
  uuid: (at) => uuidV7(at.getTime(), randomBytes(10)),
};

/** `issuer` is the gateway's origin; the receipt key may differ from reader to reader while it is being replaced. */
export function createNotary(issuer: string, signerFor: (reader: string) => Signer): Notary {
  return { ...nodeClerk, issuer, sign: (typ, claims, reader) => signJws(typ, claims, signerFor(reader)) };
}

import { hash, randomBytes } from 'node:crypto';
import { type Signer, signJws, signJwsAside } from '#evidence';
import { uuidV7 } from '#kernel';
import type { Clerk, Notary } from '../notary.js';

const saltBytes = 16;
const saltsAtOnce = 256;
let salts = new Uint8Array();

/** Asking the system for chance costs more than a salt's hash, so it is asked for many salts at once; each is given out once. */
function freshSalt(): Uint8Array {
  if (salts.length === 0) salts = new Uint8Array(randomBytes(saltBytes * saltsAtOnce));
  const salt = salts.slice(0, saltBytes);
  salts = salts.subarray(saltBytes);
  return salt;
}

/** Node's hashes and chance. */
export const nodeClerk: Clerk = {
  sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
  salt: () => freshSalt(),
  uuid: (at) => uuidV7(at.getTime(), randomBytes(10)),
};

/** `issuer` is the gateway's origin; the receipt key may differ from reader to reader while it is being replaced. */
export function createNotary(issuer: string, signerFor: (reader: string) => Signer): Notary {
  return {
    ...nodeClerk,
    issuer,
    sign: (typ, claims, reader) => signJws(typ, claims, signerFor(reader)),
    signAside: (typ, claims, reader) => signJwsAside(typ, claims, signerFor(reader)),
  };
}

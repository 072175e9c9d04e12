import { hash, randomBytes } from 'node:crypto';
import { type Signer, signJws, signJwsAside } from '#evidence';
import { uuidV7 } from '#kernel';
import type { Clerk, Notary } from '../notary.js';

const saltBytes = 16;
const uuidBytes = 10;
const bytesAtOnce = 8_192;
let chance = new Uint8Array();

/** Asking the system for chance costs more than what is made with it, so it is asked for much at once; each byte is given out once. */
function freshBytes(count: number): Uint8Array {
  if (chance.length < count) chance = new Uint8Array(randomBytes(bytesAtOnce));
  const fresh = chance.slice(0, count);
  chance = chance.subarray(count);
  return fresh;
}

/** Node's hashes and chance. */
export const nodeClerk: Clerk = {
  sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
  salt: () => freshBytes(saltBytes),
  uuid: (at) => uuidV7(at.getTime(), freshBytes(uuidBytes)),
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

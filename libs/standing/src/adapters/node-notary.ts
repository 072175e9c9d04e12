import { hash, randomBytes } from 'node:crypto';
import { type Signer, signJws } from '#evidence';
import { uuidV7 } from '#kernel';
import type { Notary } from '../notary.js';

/** The notary of a running process: Node's hashes and chance, and the receipt key. `issuer` is the gateway's origin. */
export function createNotary(issuer: string, signer: Signer): Notary {
  return {
    issuer,
    sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
    salt: () => new Uint8Array(randomBytes(16)),
    uuid: (at) => uuidV7(at.getTime(), randomBytes(10)),
    sign: (typ, claims) => signJws(typ, claims, signer),
  };
}

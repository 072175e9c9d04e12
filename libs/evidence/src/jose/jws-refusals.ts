import { Refusal } from '#kernel';
import type { CompactJws, JwsHeader } from './compact-jws.js';

/** Refuses 401 `signature.missing`. */
export function refuseUnsigned({ signature }: CompactJws): void {
  if (signature.length === 0) throw new Refusal('unauthenticated', 'signature.missing', 'the signature part is empty');
}

/** 401 `signature.invalid`. */
export function invalidSignature({ kid }: JwsHeader): Refusal {
  return new Refusal('unauthenticated', 'signature.invalid', `the signature does not verify under key ${kid}`);
}

/** 401 `signature.algorithm_refused`. */
export function misfitKey({ alg, kid }: JwsHeader): Refusal {
  return new Refusal('unauthenticated', 'signature.algorithm_refused', `key ${kid} is not for ${alg}`, { field: 'alg' });
}

import type { Verified } from '#kernel';
import { checkSignatureAside } from './algorithms.js';
import { checkHeader, type JwsHeader, parseCompactJws } from './compact-jws.js';
import { invalidSignature, misfitKey, refuseUnsigned } from './jws-refusals.js';
import { publicKeyOf, type VerificationKey } from './keys.js';
import { type JsonObject, parseJsonStrict } from './strict-json.js';
import { usableKey } from './usable-key.js';
import { markVerified } from './verified.js';

/** A verified JWS. `payloadBytes` are what the signature covers; digests are taken over them, never over `payload`. */
export interface SignedJson {
  readonly header: JwsHeader;
  readonly payload: JsonObject;
  readonly payloadBytes: Uint8Array;
}

export type FindKey = (kid: string) => VerificationKey | undefined | Promise<VerificationKey | undefined>;

/**
 * Reads and verifies one compact JWS exactly as received, strictly (CONTRACT.md §2; RFC 7515, RFC 8725).
 * Refuses 400 `signature.malformed`, `signature.header_refused`; 401 `signature.missing`, `signature.algorithm_refused`,
 * `signature.key_unknown`, `signature.key_retired`, `signature.key_compromised`, `signature.invalid`.
 */
export async function verifyJws(received: Uint8Array, typ: string, findKey: FindKey): Promise<Verified<SignedJson>> {
  const { header, payloadBytes } = await verifyCompact(received, typ, findKey);
  return markVerified({ header, payload: parseJsonStrict(payloadBytes), payloadBytes }, received);
}

/** The same for a payload that need not be JSON. */
export async function verifyCompact(
  received: Uint8Array,
  typ: string | undefined,
  findKey: FindKey,
): Promise<{ header: JwsHeader; payloadBytes: Uint8Array }> {
  const jws = parseCompactJws(received);
  const header = checkHeader(jws.header, typ);
  const key = checkKey(header, await findKey(header.kid));
  refuseUnsigned(jws);
  if (!(await checkSignatureAside(header.alg, jws.signingInput, key, jws.signature))) throw invalidSignature(header);
  return { header, payloadBytes: jws.payload };
}

/** The algorithm is the registered key's, never the message's to choose (RFC 8725 §3.1). */
export function checkKey(header: JwsHeader, found: VerificationKey | undefined) {
  const usable = usableKey(header.kid, found);
  const key = usable.alg === header.alg ? publicKeyOf(usable) : undefined;
  if (!key) throw misfitKey(header);
  return key;
}

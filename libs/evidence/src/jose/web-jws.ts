import type { Verified } from '#kernel';
import { checkWithWebCrypto, importWithWebCrypto, type RsaDigest } from '../crypto/web-signatures.js';
import { checkHeader, parseCompactJws } from './compact-jws.js';
import { invalidSignature, misfitKey, refuseUnsigned } from './jws-refusals.js';
import { type PublicJwk, readPublicJwk, unsuitableKey } from './public-jwk.js';
import { parseJsonStrict } from './strict-json.js';
import { usableKey } from './usable-key.js';
import { markVerified } from './verified.js';
import type { FindKey, SignedJson } from './verify-jws.js';

const PS256: RsaDigest = { hash: 'SHA-256', saltLength: 32 };

/** `verifyJws` for browsers: the same steps and the same refusals. */
export async function verifyJwsWithWeb(received: Uint8Array, typ: string, findKey: FindKey): Promise<Verified<SignedJson>> {
  const jws = parseCompactJws(received);
  const header = checkHeader(jws.header, typ);
  const key = usableKey(header.kid, await findKey(header.kid));
  if (key.alg !== header.alg) throw misfitKey(header);
  refuseUnsigned(jws);
  const isGood = await checkWithWebCrypto(key, jws.signingInput, jws.signature, PS256);
  if (isGood === undefined) throw misfitKey(header);
  if (!isGood) throw invalidSignature(header);
  return markVerified({ header, payload: parseJsonStrict(jws.payload), payloadBytes: jws.payload }, received);
}

/** `parsePublicJwk` for browsers. */
export async function parsePublicJwkWithWeb(input: unknown): Promise<PublicJwk> {
  const key = readPublicJwk(input);
  if (!(await importWithWebCrypto(key, PS256))) throw unsuitableKey(key.alg);
  return key;
}

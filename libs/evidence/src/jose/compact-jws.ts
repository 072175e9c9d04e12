import { Refusal } from '#kernel';
import { isSignatureAlgorithm, type SignatureAlgorithm } from './algorithm-names.js';
import { decodeBase64Url } from './base64url.js';
import { isKid } from './public-jwk.js';
import { type JsonObject, parseJsonStrict } from './strict-json.js';

/** One JWS in bytes, before and after encoding. Batches are many small ones. */
export const jwsBytesMax = 65_536;

export interface JwsHeader {
  readonly alg: SignatureAlgorithm;
  readonly kid: string;
  readonly typ: string;
}

/** A JWS taken apart. Nothing in it is verified yet. */
export interface CompactJws {
  readonly header: JsonObject;
  readonly signingInput: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

const ALLOWED_NAMES = ['alg', 'kid', 'typ'];
const latin1 = new TextDecoder('latin1');
const PERIOD = 0x2e;

/**
 * Takes the compact serialisation (RFC 7515 §7.1) apart: exactly three canonical base64url parts and not one byte more.
 * Refuses `signature.missing` (nothing there) and `signature.malformed`. `readHeader` may remember headers it has read before.
 */
export function parseCompactJws(received: Uint8Array, readHeader: typeof parseHeader = parseHeader): CompactJws {
  if (received.length === 0) throw new Refusal('unauthenticated', 'signature.missing', 'expected a signed JWS, got nothing');
  if (received.length > jwsBytesMax) {
    throw new Refusal('malformed', 'signature.malformed', 'the JWS is too long', { limit: `jwsBytesMax=${jwsBytesMax}` });
  }
  const parts = latin1.decode(received).split('.');
  if (parts.length !== 3)
    throw new Refusal('malformed', 'signature.malformed', 'a compact JWS is three parts with two periods between them');
  const [header, payload, signature] = parts as [string, string, string];
  return {
    header: readHeader(header),
    signingInput: received.subarray(0, received.lastIndexOf(PERIOD)),
    payload: decodeBase64Url(payload, 'payload'),
    signature: decodeBase64Url(signature, 'signature'),
  };
}

/** Reads the first part. Refuses `signature.malformed`. */
export function parseHeader(part: string): JsonObject {
  return parseJsonStrict(decodeBase64Url(part, 'header'));
}

/**
 * Checks that the header says exactly what we allow: an algorithm of ours, a key id and the expected `typ`.
 * Refuses `signature.algorithm_refused` (none, HMAC, anything else) and `signature.header_refused` (jku, x5u, x5c, jwk, crit, b64, zip,
 * any other name, a missing kid, a wrong typ: RFC 8725 §3.11). `typ` undefined means that there must be none.
 */
export function checkHeader(header: JsonObject, typ: string | undefined): JwsHeader {
  const { alg, kid } = header;
  if (!isSignatureAlgorithm(alg)) {
    throw new Refusal('unauthenticated', 'signature.algorithm_refused', 'alg must be ES256, EdDSA or PS256', { field: 'alg' });
  }
  const unknown = Object.keys(header).find((name) => !ALLOWED_NAMES.includes(name));
  if (unknown !== undefined) throw refusedHeader(unknown, 'a header may hold alg, kid and typ, nothing else');
  if (!isKid(kid)) throw refusedHeader('kid', 'kid must name a registered key');
  if (header['typ'] !== typ) throw refusedHeader('typ', typ === undefined ? 'there must be no typ' : `typ must be ${typ}`);
  return { alg, kid, typ: typ ?? '' };
}

function refusedHeader(field: string, detail: string): Refusal {
  return new Refusal('malformed', 'signature.header_refused', detail, { field });
}

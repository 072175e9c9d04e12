import { hash, type JsonWebKey } from 'node:crypto';
import { Refusal, type Verified } from '#kernel';
import { isSignatureAlgorithm } from '../jose/algorithm-names.js';
import { checkSignatureAside, importPublicKey } from '../jose/algorithms.js';
import { jwsBytesMax, parseCompactJws } from '../jose/compact-jws.js';
import { type JsonObject, parseJsonStrict } from '../jose/strict-json.js';
import { markVerified } from '../jose/verified.js';
import { type FindKey, verifyJws } from '../jose/verify-jws.js';
import { malformed } from './disclosure.js';
import { revealClaims } from './reveal-claims.js';

export const KEY_BINDING_TYP = 'kb+jwt';
const disclosuresMax = 64;

/** An SD-JWT taken apart (RFC 9901 §4). Nothing in it is verified yet. */
export interface SdJwt {
  readonly jwt: string;
  readonly disclosures: readonly string[];
  /** Everything but the key binding: what its `sd_hash` covers. */
  readonly unbound: string;
  readonly keyBinding?: string;
}

/** A verified SD-JWT: what the issuer said, as far as the holder shows it. */
export interface RevealedJwt {
  readonly claims: JsonObject;
  readonly sdJwt: SdJwt;
}

const utf8 = new TextEncoder();

/** Refuses `signature.malformed`: a JWT, tildes between the parts, and a tilde or a key binding at the end. */
export function splitSdJwt(text: string): SdJwt {
  if (text.length > 2 * jwsBytesMax) throw malformed('the SD-JWT is too long');
  const [jwt = '', ...rest] = text.split('~');
  const keyBinding = rest.pop();
  if (keyBinding === undefined) throw malformed('an SD-JWT ends with a tilde or a key binding');
  if (rest.length > disclosuresMax) throw malformed('too many disclosures');
  const unbound = text.slice(0, text.length - keyBinding.length);
  return { jwt, disclosures: rest, unbound, ...(keyBinding === '' ? {} : { keyBinding }) };
}

/** Verifies the issuer's signature and every disclosure (RFC 9901 §7.1), not the key binding. Refuses what `verifyJws` and `revealClaims` refuse. */
export async function verifySdJwt(text: string, typ: string, findKey: FindKey): Promise<Verified<RevealedJwt>> {
  const sdJwt = splitSdJwt(text);
  const { value } = await verifyJws(utf8.encode(sdJwt.jwt), typ, findKey);
  return markVerified({ claims: revealClaims(value.payload, sdJwt.disclosures), sdJwt }, utf8.encode(text));
}

export interface KeyBinding {
  readonly audience: string;
  readonly nonce: string;
}

/** What a holder signs to show that an SD-JWT is its own (RFC 9901 §4.3): for this audience, now, and for these disclosures. */
export function keyBindingClaims(unbound: string, { audience, nonce }: KeyBinding, at: Date): JsonObject {
  return { aud: audience, nonce, iat: Math.floor(at.getTime() / 1_000), sd_hash: hash('sha256', unbound, 'base64url') };
}

/**
 * Verifies that whoever presents an SD-JWT holds the key it is bound to (RFC 9901 §7.3). Answers when it was signed; its age is the caller's to
 * judge. Refuses 401 `key_binding.missing`, `key_binding.invalid`, and `signature.malformed`.
 */
export async function verifyKeyBinding(sdJwt: SdJwt, holder: JsonWebKey, { audience, nonce }: KeyBinding): Promise<Date> {
  if (sdJwt.keyBinding === undefined) throw unbound('key_binding.missing', 'there is no key binding: anybody could present this');
  const { header, signingInput, payload, signature } = parseCompactJws(utf8.encode(sdJwt.keyBinding));
  const { alg, typ, kid: _kid, ...others } = header;
  // The algorithm is the holder's key's, and no other header name may bring in another key (RFC 8725 §3.1).
  const key = isSignatureAlgorithm(alg) ? importPublicKey(holder, alg) : undefined;
  if (!key || typ !== KEY_BINDING_TYP || Object.keys(others).length > 0) {
    throw unbound('key_binding.invalid', 'the key binding is not for the key that the SD-JWT names');
  }
  if (!isSignatureAlgorithm(alg) || !(await checkSignatureAside(alg, signingInput, key, signature))) {
    throw unbound('key_binding.invalid', 'the key binding does not verify under the key that the SD-JWT names');
  }
  const claims = parseJsonStrict(payload);
  const expected = keyBindingClaims(sdJwt.unbound, { audience, nonce }, new Date(0));
  const other = ['aud', 'nonce', 'sd_hash'].find((name) => claims[name] !== expected[name]);
  if (other !== undefined) throw unbound('key_binding.invalid', `the key binding has another ${other}`);
  if (typeof claims['iat'] !== 'number') throw unbound('key_binding.invalid', 'the key binding does not say when it was made');
  return new Date(claims['iat'] * 1_000);
}

function unbound(code: string, detail: string): Refusal {
  return new Refusal('unauthenticated', code, detail);
}

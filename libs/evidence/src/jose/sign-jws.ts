import { createPrivateKey, type JsonWebKey, sign } from 'node:crypto';
import { importPublicKey, publicPart } from './algorithms.js';
import { encodeBase64Url } from './base64url.js';
import { thumbprint } from './keys.js';
import type { JsonObject } from './strict-json.js';

const utf8 = new TextEncoder();

/** Signs with Ed25519 (RFC 8032): deterministic and synchronous. The private key does not leave it. */
export interface Signer {
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly publicJwk: JsonWebKey;
  sign(bytes: Uint8Array): Uint8Array;
}

/** A signer from a private Ed25519 JWK (RFC 8037). Its kid is the JWK's, or its thumbprint. Throws where the JWK is another key. */
export function createEd25519Signer(privateJwk: JsonWebKey): Signer {
  if (!importPublicKey(privateJwk, 'EdDSA') || typeof privateJwk.d !== 'string') throw new Error('not a private Ed25519 JWK');
  const key = createPrivateKey({ key: privateJwk, format: 'jwk' });
  const jwk = publicPart(privateJwk, 'EdDSA');
  const kid = typeof privateJwk['kid'] === 'string' ? privateJwk['kid'] : thumbprint(jwk);
  return { kid, alg: 'EdDSA', publicJwk: { ...jwk, kid, alg: 'EdDSA', use: 'sig' }, sign: (bytes) => sign(null, bytes, key) };
}

/** A compact JWS (RFC 7515 §7.1) whose header is exactly alg, kid and typ. */
export function signJws(typ: string, payload: JsonObject, signer: Signer): string {
  const header = encodeJson({ alg: signer.alg, kid: signer.kid, typ });
  const signingInput = `${header}.${encodeJson(payload)}`;
  return `${signingInput}.${encodeBase64Url(signer.sign(utf8.encode(signingInput)))}`;
}

function encodeJson(value: JsonObject): string {
  return encodeBase64Url(utf8.encode(JSON.stringify(value)));
}

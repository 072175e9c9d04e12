import { createPrivateKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { importPublicKey } from './algorithms.js';
import { encodeBase64Url } from './base64url.js';
import { thumbprint } from './keys.js';
import { publicPart } from './public-jwk.js';
import type { JsonObject } from './strict-json.js';

const utf8 = new TextEncoder();

/** Signs with Ed25519 (RFC 8032): deterministic and synchronous. The private key does not leave it. */
export interface Signer {
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly publicJwk: JsonWebKey;
  sign(bytes: Uint8Array): Uint8Array;
  /** The same signature, made on a thread of its own. */
  signAside(bytes: Uint8Array): Promise<Uint8Array>;
}

/** A signer from a private Ed25519 JWK (RFC 8037). Its kid is the JWK's, or its thumbprint. Throws where the JWK is another key. */
export function createEd25519Signer(privateJwk: JsonWebKey): Signer {
  if (!importPublicKey(privateJwk, 'EdDSA') || typeof privateJwk.d !== 'string') throw new Error('not a private Ed25519 JWK');
  const key = createPrivateKey({ key: privateJwk, format: 'jwk' });
  const jwk = publicPart(privateJwk, 'EdDSA');
  const kid = typeof privateJwk['kid'] === 'string' ? privateJwk['kid'] : thumbprint(jwk);
  return { kid, alg: 'EdDSA', publicJwk: { ...jwk, kid, alg: 'EdDSA', use: 'sig' }, ...signingWith(key) };
}

function signingWith(key: KeyObject): Pick<Signer, 'sign' | 'signAside'> {
  return {
    sign: (bytes) => sign(null, bytes, key),
    signAside: (bytes) =>
      new Promise((resolve, reject) => sign(null, bytes, key, (error, signature) => (error ? reject(error) : resolve(signature)))),
  };
}

/** A compact JWS (RFC 7515 §7.1) whose header is exactly alg, kid and typ. */
export function signJws(typ: string, payload: JsonObject, signer: Signer): string {
  const signingInput = signingInputOf(typ, payload, signer);
  return `${signingInput}.${encodeBase64Url(signer.sign(utf8.encode(signingInput)))}`;
}

/** The same, signed on a thread of its own: for whoever signs many at once. */
export async function signJwsAside(typ: string, payload: JsonObject, signer: Signer): Promise<string> {
  const signingInput = signingInputOf(typ, payload, signer);
  return `${signingInput}.${encodeBase64Url(await signer.signAside(utf8.encode(signingInput)))}`;
}

function signingInputOf(typ: string, payload: JsonObject, { alg, kid }: Signer): string {
  return `${encodeJson({ alg, kid, typ })}.${encodeJson(payload)}`;
}

function encodeJson(value: JsonObject): string {
  return encodeBase64Url(utf8.encode(JSON.stringify(value)));
}

import type { FastifyRequest } from 'fastify';
import { encodeBase64Url } from '#evidence';
import { KeptOn } from '#platform';
import { findSignedHead } from './install-signatures.js';

const bodies = new KeptOn<object, Uint8Array>();

/** Remembers a JSON body as it came, for as long as its request lives. */
export function rememberBody(request: object, body: Uint8Array): void {
  bodies.set(request, body);
}

/** A request as evidence: its exact body, and what its signature was made over (RFC 9421 §2.5; the digest there binds the body). */
export function evidenceOf(request: FastifyRequest) {
  const body = bodies.get(request) ?? new Uint8Array();
  const signature = findSignedHead(request)?.signature;
  if (!signature) return { body };
  return { body, keyid: signature.keyid, signatureBase: signature.base, signature: encodeBase64Url(signature.bytes) };
}

import { createHash, randomBytes } from 'node:crypto';
import type request from 'supertest';
import { type HttpSigner, signRequest } from '#evidence';

/** The fields of a signed request with this body: what a partner's client would add. */
export function signatureFields(
  target: { readonly method: string; readonly targetUri: string },
  body: Uint8Array,
  signer: HttpSigner,
  { at = new Date(), nonce = randomBytes(16).toString('base64url') } = {},
): Record<string, string> {
  const digest = new Map([['sha-256' as const, createHash('sha256').update(body).digest()]]);
  return { ...signRequest({ ...target, headers: {} }, digest, signer, { at, nonce }) };
}

/** Signs what a supertest call sends, when its body is known. */
export function signed(made: request.Test, target: { method: string; targetUri: string }, signer: HttpSigner): request.Test {
  const send = made.send.bind(made);
  made.send = (body) => {
    const isDocument = Buffer.isBuffer(body) || typeof body === 'string';
    const bytes = isDocument ? Buffer.from(body as Buffer) : Buffer.from(JSON.stringify(body));
    if (!isDocument && made.get('content-type') === undefined) made.set('content-type', 'application/json');
    made.set(signatureFields(target, bytes, signer));
    // supertest would turn a Buffer into JSON of a Buffer.
    return send(/[/+]json/.test(String(made.get('content-type'))) ? bytes.toString() : bytes);
  };
  return made;
}

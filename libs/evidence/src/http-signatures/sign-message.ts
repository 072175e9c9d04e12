import { toBase64 } from '../base64.js';
import { utf8 } from '../bytes.js';
import type { Signer } from '../jose/sign-jws.js';
import type { HttpSigner } from './algorithms.js';
import { formatContentDigest, type ContentDigest } from './content-digest.js';
import { fieldValue, type HttpRequestMessage, type HttpResponseMessage } from './http-message.js';
import { BOUND_RESPONSE_PROFILE, REQUEST_PROFILE, RESPONSE_PROFILE, type SignatureProfile } from './profile.js';
import { signatureBase } from './signature-text.js';
import { type BareItem, formatInnerList, type InnerList, type Item, parseDictionary, isInnerList } from './structured-fields.js';

const LABEL = 'sig1';

/** The fields to send with a message. */
export interface SignatureFields {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/** Signs a request that changes something. `nonce` is fresh for each sending, also for a repetition of the same bytes. */
export function signRequest(request: HttpRequestMessage, digest: ContentDigest, signer: HttpSigner, made: Made): SignatureFields {
  const unsigned = requestToSign(request, digest, signer.kid, made);
  return fieldsOf(unsigned, signer.sign(unsigned.base));
}

/** The same, signed on a thread of its own: for whoever sends many at once. */
export async function signRequestAside(
  request: HttpRequestMessage,
  digest: ContentDigest,
  signer: Signer,
  made: Made,
): Promise<SignatureFields> {
  const unsigned = requestToSign(request, digest, signer.kid, made);
  return fieldsOf(unsigned, await signer.signAside(unsigned.base));
}

interface Made {
  readonly at: Date;
  readonly nonce: string;
}

function requestToSign(request: HttpRequestMessage, digest: ContentDigest, kid: string, { at, nonce }: Made): Unsigned {
  const contentDigest = formatContentDigest(digest);
  const message = { ...request, headers: { 'content-digest': contentDigest } };
  const input = inputOf(REQUEST_PROFILE, [
    ['created', seconds(at)],
    ['keyid', kid],
    ['nonce', nonce],
  ]);
  return { contentDigest, input, base: utf8.encode(signatureBase(input, message)) };
}

/** Signs an answer. Where the request was signed, the answer is bound to that signature. */
export function signResponse(response: HttpResponseMessage, digest: ContentDigest, signer: HttpSigner, at: Date): SignatureFields {
  const contentDigest = formatContentDigest(digest);
  const message = { ...response, headers: { 'content-digest': contentDigest } };
  const profile = isSigned(response.request) ? BOUND_RESPONSE_PROFILE : RESPONSE_PROFILE;
  const input = inputOf(profile, [
    ['created', seconds(at)],
    ['keyid', signer.kid],
  ]);
  const base = utf8.encode(signatureBase(input, message));
  return fieldsOf({ contentDigest, input, base }, signer.sign(base));
}

/** Whether a request carries what a bound answer covers, in characters that can be signed. */
export function isSigned(request: HttpRequestMessage | undefined): boolean {
  const values = ['content-digest', 'signature'].map((name) => request && fieldValue(request.headers, name));
  return values.every((value) => value !== undefined && /^[\x20-\x7e]+$/.test(value));
}

interface Unsigned {
  readonly contentDigest: string;
  readonly input: InnerList;
  readonly base: Uint8Array;
}

function fieldsOf({ contentDigest, input }: Unsigned, signature: Uint8Array): SignatureFields {
  return {
    'content-digest': contentDigest,
    'signature-input': `${LABEL}=${formatInnerList(input)}`,
    signature: `${LABEL}=:${toBase64(signature)}:`,
  };
}

const components = new Map<SignatureProfile, readonly Item[]>();

function inputOf(profile: SignatureProfile, params: [string, BareItem][]): InnerList {
  const items = components.get(profile) ?? readComponents(profile);
  components.set(profile, items);
  return { items, params: new Map([...params, ['tag', profile.tag]]) };
}

function readComponents(profile: SignatureProfile): readonly Item[] {
  const member = parseDictionary(`${LABEL}=(${profile.components.join(' ')})`, 'signature-input').get(LABEL);
  return member && isInnerList(member) ? member.items : [];
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

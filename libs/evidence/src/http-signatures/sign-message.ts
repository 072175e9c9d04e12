import { toBase64 } from '../base64.js';
import { utf8 } from '../bytes.js';
import type { Signer } from '../jose/sign-jws.js';
import type { HttpSigner } from './algorithms.js';
import { formatContentDigest, type ContentDigest } from './content-digest.js';
import { fieldValue, type HttpMessage, type HttpRequestMessage, type HttpResponseMessage } from './http-message.js';
import { BOUND_RESPONSE_PROFILE, REQUEST_PROFILE, RESPONSE_PROFILE, type SignatureProfile } from './profile.js';
import { signatureBase } from './signature-text.js';
import {
  type BareItem,
  formatInnerList,
  formatItem,
  type InnerList,
  type Item,
  parseDictionary,
  isInnerList,
} from './structured-fields.js';

const LABEL = 'sig1';

/** The fields to send with a message. */
export interface SignatureFields {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/** Signs a request that changes something. `nonce` is fresh for each sending, also for a repetition of the same bytes. */
export function signRequest(request: HttpRequestMessage, digest: ContentDigest, signer: HttpSigner, made: Made): SignatureFields {
  const prepared = requestToSign(request, digest, signer.kid, made);
  return fieldsOf(prepared, signer.sign(prepared.base));
}

/** The same, signed on a thread of its own: for whoever sends many at once. */
export async function signRequestAside(
  request: HttpRequestMessage,
  digest: ContentDigest,
  signer: Signer,
  made: Made,
): Promise<SignatureFields> {
  const prepared = requestToSign(request, digest, signer.kid, made);
  return fieldsOf(prepared, await signer.signAside(prepared.base));
}

interface Made {
  readonly at: Date;
  readonly nonce: string;
}

function requestToSign(request: HttpRequestMessage, digest: ContentDigest, kid: string, { at, nonce }: Made): Unsigned {
  const contentDigest = formatContentDigest(digest);
  const message = { ...request, headers: { 'content-digest': contentDigest } };
  const params: Cover['params'] = [
    ['created', seconds(at)],
    ['keyid', kid],
    ['nonce', nonce],
  ];
  return unsigned(contentDigest, message, { profile: REQUEST_PROFILE, params });
}

/** Signs an answer. Where the request was signed, the answer is bound to that signature. */
export function signResponse(response: HttpResponseMessage, digest: ContentDigest, signer: HttpSigner, at: Date): SignatureFields {
  const contentDigest = formatContentDigest(digest);
  const message = { ...response, headers: { 'content-digest': contentDigest } };
  const profile = isSigned(response.request) ? BOUND_RESPONSE_PROFILE : RESPONSE_PROFILE;
  const params: Cover['params'] = [
    ['created', seconds(at)],
    ['keyid', signer.kid],
  ];
  const prepared = unsigned(contentDigest, message, { profile, params });
  return fieldsOf(prepared, signer.sign(prepared.base));
}

/** Whether a request carries what a bound answer covers, in characters that can be signed. */
export function isSigned(request: HttpRequestMessage | undefined): boolean {
  const values = ['content-digest', 'signature'].map((name) => request && fieldValue(request.headers, name));
  return values.every((value) => value !== undefined && /^[\x20-\x7e]+$/.test(value));
}

interface Unsigned {
  readonly contentDigest: string;
  /** The inner list of what is covered. */
  readonly input: string;
  readonly base: Uint8Array;
}

function unsigned(contentDigest: string, message: HttpMessage, { profile, params }: Cover): Unsigned {
  const { items, names } = componentsOf(profile);
  const input: InnerList = { items, params: new Map([...params, ['tag', profile.tag]]) };
  return { contentDigest, input: formatInnerList(input, names), base: utf8.encode(signatureBase(input, message, names)) };
}

function fieldsOf({ contentDigest, input }: Unsigned, signature: Uint8Array): SignatureFields {
  return {
    'content-digest': contentDigest,
    'signature-input': `${LABEL}=${input}`,
    signature: `${LABEL}=:${toBase64(signature)}:`,
  };
}

/** What a signature covers: components by profile, and parameters. */
interface Cover {
  readonly profile: SignatureProfile;
  readonly params: readonly [string, BareItem][];
}

const components = new Map<SignatureProfile, { readonly items: readonly Item[]; readonly names: readonly string[] }>();

/** Read once per profile. */
function componentsOf(profile: SignatureProfile) {
  const known = components.get(profile);
  if (known) return known;
  const member = parseDictionary(`${LABEL}=(${profile.components.join(' ')})`, 'signature-input').get(LABEL);
  const items = member && isInnerList(member) ? member.items : [];
  const read = { items, names: items.map(formatItem) };
  components.set(profile, read);
  return read;
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

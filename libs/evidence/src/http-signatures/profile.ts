import { Refusal } from '#kernel';
import { missing } from './components.js';
import { type BareItem, formatItem, type InnerList, isInnerList, parseDictionary } from './structured-fields.js';
import { fieldValue, type HttpMessage } from './http-message.js';
import { signatureBase } from './signature-text.js';

/** What a signature of one kind must say (FAPI 2.0 HTTP signatures; CONTRACT.md §2). Components in their serialised form. */
export interface SignatureProfile {
  readonly tag: string;
  readonly components: readonly string[];
  readonly params: readonly ('created' | 'keyid' | 'nonce')[];
}

export const REQUEST_PROFILE: SignatureProfile = {
  tag: 'fapi-2-request',
  components: ['"@method"', '"@target-uri"', '"content-digest"'],
  params: ['created', 'keyid', 'nonce'],
};

/** A request without content has no digest to cover. */
export const BODILESS_REQUEST_PROFILE: SignatureProfile = { ...REQUEST_PROFILE, components: ['"@method"', '"@target-uri"'] };

export const RESPONSE_PROFILE: SignatureProfile = {
  tag: 'fapi-2-response',
  components: ['"@status"', '"content-digest"', '"@method";req', '"@target-uri";req'],
  params: ['created', 'keyid'],
};

/** The answer to a signed request covers that request's body and signature too: it belongs to no other request. */
export const BOUND_RESPONSE_PROFILE: SignatureProfile = {
  ...RESPONSE_PROFILE,
  components: [...RESPONSE_PROFILE.components, '"content-digest";req', '"signature";req'],
};

const PARAMETER_TYPES: Readonly<Record<string, (value: BareItem) => boolean>> = {
  created: isWholeNumber,
  expires: isWholeNumber,
  nonce: isString,
  alg: isString,
  keyid: isString,
  tag: isString,
};

/** A signature taken out of its message. Nothing in it is verified yet. */
export interface HttpSignature {
  readonly label: string;
  /** Covered components, serialised. */
  readonly covered: readonly string[];
  readonly created?: number;
  readonly expires?: number;
  readonly keyid?: string;
  readonly alg?: string;
  readonly nonce?: string;
  readonly bytes: Uint8Array;
  /** What the signature must have been made over. */
  readonly base: string;
}

const nonceCharsMin = 8;
const nonceCharsMax = 128;

/**
 * Takes the signature of this profile out of a message and builds its base (RFC 9421 §3.2, steps 1 to 7). Other signatures, of other tags,
 * are somebody else's. Refuses 401 `signature.missing`, `signature.component_missing`; 400 `signature.malformed`.
 */
export function readHttpSignature(message: HttpMessage, profile: SignatureProfile): HttpSignature {
  const { label, input, bytes } = findTagged(message, profile.tag);
  const params = readParams(input);
  const covered = input.items.map(formatItem);
  const uncovered = profile.components.find((component) => !covered.includes(component));
  if (uncovered !== undefined) throw missing(uncovered, 'must be covered by the signature');
  const unsaid = profile.params.find((name) => params[name] === undefined);
  if (unsaid !== undefined) throw missing(unsaid, 'must be a parameter of the signature');
  checkNonce(params.nonce);
  return { label, covered, ...params, bytes, base: signatureBase(input, message, covered) };
}

interface Tagged {
  readonly label: string;
  readonly input: InnerList;
  readonly bytes: Uint8Array;
}

function findTagged({ headers }: HttpMessage, tag: string): Tagged {
  const [inputs, signatures] = [fieldValue(headers, 'signature-input'), fieldValue(headers, 'signature')];
  if (inputs === undefined || signatures === undefined) {
    throw notSigned(`this message must be signed (RFC 9421): it has no ${inputs === undefined ? 'Signature-Input' : 'Signature'} field`);
  }
  const tagged = [...parseDictionary(inputs, 'signature-input')].filter(([, member]) => member.params.get('tag') === tag);
  if (tagged.length > 1) throw malformed(`more than one signature has the tag "${tag}"`);
  const [label, input] = tagged[0] ?? [];
  if (label === undefined || input === undefined) throw notSigned(`no signature has the tag "${tag}"`);
  if (!isInnerList(input)) throw malformed('a signature input is a list of components in parentheses');
  const member = parseDictionary(signatures, 'signature').get(label);
  if (!member) throw notSigned(`the Signature field has no "${label}"`);
  const bytes = isInnerList(member) ? undefined : member.value;
  if (!(bytes instanceof Uint8Array)) throw malformed('a signature is bytes between colons');
  if (bytes.length === 0) throw notSigned('the signature is empty');
  return { label, input, bytes };
}

type SignatureParams = Pick<HttpSignature, 'created' | 'expires' | 'keyid' | 'alg' | 'nonce'>;

function readParams({ params }: InnerList): SignatureParams {
  const read: Record<string, BareItem> = {};
  for (const [name, value] of params) {
    const fits = Object.hasOwn(PARAMETER_TYPES, name) ? PARAMETER_TYPES[name] : undefined;
    if (!fits) throw malformed(`the signature parameter "${name}" is not known`);
    if (!fits(value)) throw malformed(`the signature parameter "${name}" has the wrong type`);
    if (name !== 'tag') read[name] = value;
  }
  return read;
}

function checkNonce(nonce: string | undefined): void {
  if (nonce === undefined || (nonce.length >= nonceCharsMin && nonce.length <= nonceCharsMax)) return;
  throw malformed(`a nonce is ${nonceCharsMin} to ${nonceCharsMax} characters`, `nonceCharsMax=${nonceCharsMax}`);
}

function isWholeNumber(value: BareItem): boolean {
  return typeof value === 'number' && value >= 0;
}

function isString(value: BareItem): boolean {
  return typeof value === 'string';
}

function notSigned(detail: string): Refusal {
  return new Refusal('unauthenticated', 'signature.missing', detail, { field: 'signature' });
}

function malformed(detail: string, limit?: string): Refusal {
  const hints = limit === undefined ? {} : { limit };
  return new Refusal('malformed', 'signature.malformed', detail, { field: 'signature-input', ...hints });
}

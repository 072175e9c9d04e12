import { hash } from 'node:crypto';
import { Refusal } from '#kernel';
import { decodeBase64Url, encodeBase64Url } from '../jose/base64url.js';
import { type JsonValue, parseJsonStrict } from '../jose/strict-json.js';

/** One claim of an SD-JWT that its holder may show or keep to itself (RFC 9901 §4.2); without a name it is an element of an array. */
export interface Disclosure {
  readonly salt: string;
  readonly name?: string;
  readonly value: JsonValue;
}

/** What stands in the place of claims; no claim may be called so (RFC 9901 §4.2.1). */
const RESERVED_NAMES: readonly string[] = ['_sd', '...'];

const utf8 = new TextEncoder();
const closing = utf8.encode('}');
const opening = utf8.encode('{"d":');

/** `[salt, name, value]` as base64url (RFC 9901 §4.2.1). */
export function encodeDisclosure(salt: string, name: string, value: JsonValue): string {
  return encodeBase64Url(utf8.encode(JSON.stringify([salt, name, value])));
}

/** What the issuer signs for a disclosure: SHA-256 over its text as it is sent, base64url (RFC 9901 §4.2.3). */
export function digestOfDisclosure(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** Refuses `signature.malformed` (400): whoever wrote it, it is no disclosure. */
export function parseDisclosure(text: string): Disclosure {
  const bytes = decodeBase64Url(text, 'disclosure');
  // The strict reader reads objects: an array becomes one with a name around it.
  const { d } = parseJsonStrict(Buffer.concat([opening, bytes, closing]));
  const list = Array.isArray(d) ? (d as readonly JsonValue[]) : [];
  const [salt, ...rest] = list;
  const [name, value] = rest.length === 2 ? rest : [undefined, rest[0]];
  const isNamed = rest.length === 2;
  if (typeof salt !== 'string' || value === undefined || rest.length > 2 || (isNamed && typeof name !== 'string')) {
    throw malformed('a disclosure is [salt, name, value] or [salt, value]');
  }
  if (isNamed && RESERVED_NAMES.includes(name as string)) throw malformed(`no claim may be called ${String(name)}`);
  return { salt, value, ...(isNamed ? { name: name as string } : {}) };
}

export function malformed(detail: string): Refusal {
  return new Refusal('malformed', 'signature.malformed', detail, { field: 'disclosure' });
}

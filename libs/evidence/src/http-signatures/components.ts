import { Refusal } from '#kernel';
import { fieldValue, type HttpMessage, type HttpRequestMessage, type HttpResponseMessage } from './http-message.js';
import { formatItem, type Item } from './structured-fields.js';

const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Visible characters, spaces and tabs: what a line of the signature base may hold (RFC 9421 §2.5 asks for ASCII). */
const LINE = /^[\t\x20-\x7e]*$/;

/** One row per derived component of a request (RFC 9421 §2.2). */
const OF_REQUEST: Readonly<Record<string, (request: HttpRequestMessage) => string>> = {
  '@method': ({ method }) => method,
  '@target-uri': ({ targetUri }) => targetUri,
  '@authority': ({ targetUri }) => new URL(targetUri).host,
  '@scheme': ({ targetUri }) => new URL(targetUri).protocol.slice(0, -1),
  '@request-target': ({ targetUri }) => pathAndQuery(targetUri),
  '@path': ({ targetUri }) => pathAndQuery(targetUri).split('?', 1)[0] || '/',
  '@query': ({ targetUri }) => `?${pathAndQuery(targetUri).split('?').slice(1).join('?')}`,
};

/** Without normalising anything: the URL class would spell a path its own way. */
function pathAndQuery(targetUri: string): string {
  return /^[a-z]+:\/\/[^/?]*(.*)$/.exec(targetUri)?.[1] ?? '';
}

/**
 * The line of the signature base for one component, `spelt` as it is covered. Refuses 401 `signature.component_missing` where the message does not have it, and
 * 400 `signature.malformed` for a component or parameter that we do not read (`sf`, `key`, `bs`, `tr`), or a value that is not ASCII.
 */
export function componentLine(component: Item, spelt: string, message: HttpMessage): string {
  const name = nameOf(component);
  const value = valueOf(name, component, message);
  if (!LINE.test(value)) throw malformed(`the value of ${spelt} holds characters that cannot be signed`);
  return `${spelt}: ${value}`;
}

function nameOf({ value }: Item): string {
  if (typeof value === 'string' && (value.startsWith('@') || FIELD_NAME.test(value))) return value;
  throw malformed('a component is a field name in lower case or a derived one such as "@method", as a string');
}

function valueOf(name: string, component: Item, message: HttpMessage): string {
  const { params } = component;
  for (const [key, value] of params) {
    const isRead = (key === 'req' && value === true) || (key === 'name' && name === '@query-param');
    if (!isRead) throw malformed(`the component parameter "${key}" is not supported here`);
  }
  const source = params.has('req') ? requestOf(message) : message;
  const found = name.startsWith('@') ? derived(name, component, source) : fieldValue(source.headers, name);
  if (found === undefined) throw missing(formatItem(component), 'is covered, but the message does not have it');
  return found;
}

function derived(name: string, { params }: Item, message: HttpMessage): string | undefined {
  if (name === '@status') return isResponse(message) ? String(message.status) : undefined;
  const ofRequest = Object.hasOwn(OF_REQUEST, name) ? OF_REQUEST[name] : undefined;
  if (!ofRequest && name !== '@query-param') throw malformed(`there is no component "${name}" (RFC 9421, section 2.2)`);
  if (isResponse(message)) return undefined;
  return ofRequest ? ofRequest(message) : queryParam(params.get('name'), message);
}

/** RFC 9421 §2.2.8; a name that stands twice has no single value. */
function queryParam(name: unknown, { targetUri }: HttpRequestMessage): string | undefined {
  if (typeof name !== 'string') throw malformed('"@query-param" needs its parameter "name"');
  const values = new URL(targetUri).searchParams.getAll(decoded(name));
  if (values.length > 1) throw malformed(`the query parameter "${name}" stands ${values.length} times`);
  return values[0] === undefined ? undefined : encodeURIComponent(values[0]);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw malformed('the "name" of "@query-param" is not percent-encoded UTF-8');
  }
}

function requestOf(message: HttpMessage): HttpRequestMessage {
  const request = isResponse(message) ? message.request : undefined;
  if (!request) throw malformed('the component parameter "req" is for responses');
  return request;
}

function isResponse(message: HttpMessage): message is HttpResponseMessage {
  return 'status' in message;
}

export function missing(field: string, what: string): Refusal {
  return new Refusal('unauthenticated', 'signature.component_missing', `${field} ${what}`, { field });
}

function malformed(detail: string): Refusal {
  return new Refusal('malformed', 'signature.malformed', detail, { field: 'signature-input' });
}

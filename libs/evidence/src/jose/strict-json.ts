import { Refusal } from '#kernel';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Objects and arrays inside one another. */
export const jsonDepthMax = 16;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LONE_SURROGATE = /\p{Surrogate}/u;
/** The tokens of a text that JSON.parse has accepted; punctuation other than brackets and colons says nothing we need. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]|-?[0-9][0-9.eE+-]*/g;

/**
 * Reads one JSON object as I-JSON (RFC 7493) demands: UTF-8 without errors, no name twice in an object, no number of 2^53 or more in
 * magnitude, no lone surrogate, at most `jsonDepthMax` levels. JSON.parse alone lets every one of these pass.
 * Refuses with `code` (400).
 */
export function parseJsonStrict(bytes: Uint8Array, code = 'signature.malformed'): JsonObject {
  const refuse = (detail: string, limit?: string): never => {
    throw new Refusal('malformed', code, detail, limit === undefined ? {} : { limit });
  };
  const text = decodeUtf8(bytes) ?? refuse('the JSON is not valid UTF-8');
  const value = parse(text) ?? refuse('not a JSON object');
  if (typeof value !== 'object' || Array.isArray(value)) refuse('not a JSON object');
  if (!isPlain(value, text)) checkTokens(text, refuse);
  return value as JsonObject;
}

/**
 * Whether nothing can be wrong with it. Without escapes there is no half of a surrogate pair, and every quote opens or closes a string; then a name
 * that stands twice shows by its quotes, because the value has it once. Nearly all senders write so, and this takes a fifth of the time of tokens.
 */
function isPlain(value: JsonValue, text: string): boolean {
  return !text.includes('\\') && quotesIn(text) === 2 * stringsIn(value, 1);
}

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

/** Names and strings, at any level. NaN, which equals nothing, where a number is too large or the levels are too many. */
function stringsIn(value: JsonValue, level: number): number {
  if (typeof value === 'string') return 1;
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? 0 : NaN;
  if (typeof value !== 'object' || value === null) return 0;
  if (level > jsonDepthMax) return NaN;
  let count = 0;
  if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) count += stringsIn(item, level + 1);
  else for (const name in value) count += 1 + stringsIn((value as JsonObject)[name]!, level + 1);
  return count;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** Walks the tokens of a text whose grammar is known to be right; what each open object has named so far is on the stack. */
function checkTokens(text: string, refuse: (detail: string, limit?: string) => never): void {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    const first = token[0]!;
    if (first === '{' || first === '[') {
      if (open.push(new Set()) > jsonDepthMax) refuse('the JSON is nested too deeply', `jsonDepthMax=${jsonDepthMax}`);
    } else if (first === '}' || first === ']') {
      open.pop();
    } else if (first === '"') {
      const content = unescape(colon === undefined ? token : token.slice(0, -colon.length));
      if (LONE_SURROGATE.test(content)) refuse('a string holds half a surrogate pair');
      if (colon !== undefined && !isNew(open.at(-1)!, content)) refuse(`the name ${JSON.stringify(content)} stands twice in one object`);
    } else if (!(Math.abs(Number(token)) <= Number.MAX_SAFE_INTEGER)) {
      refuse('a number is beyond 2^53 - 1 and cannot be read exactly', 'numberMax=9007199254740991');
    }
  }
}

/** Two spellings of one name (`a` and `\u0061`) are one name. */
function unescape(token: string): string {
  return token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
}

function isNew(names: Set<string>, name: string): boolean {
  return names.size < names.add(name).size;
}

import { Refusal } from '#kernel';
import { parseBase64, toBase64 } from '../base64.js';

/** A bare item of Structured Fields (RFC 9651 §3.3): of its types those that signature and digest fields use. */
export type BareItem = string | number | boolean | Uint8Array | Token;
export class Token {
  constructor(readonly name: string) {}
}

export type Parameters = ReadonlyMap<string, BareItem>;
export interface Item {
  readonly value: BareItem;
  readonly params: Parameters;
}
export interface InnerList {
  readonly items: readonly Item[];
  readonly params: Parameters;
}
export type Dictionary = ReadonlyMap<string, Item | InnerList>;

/** Longer than any field that we could be meant to read. */
export const fieldCharsMax = 16_384;

const KEY = /[a-z*][a-z0-9_.*-]*/y;
const INTEGER = /-?[0-9]{1,15}(?![0-9.])/y;
const STRING = /"((?:[ !#-[\]-~]|\\["\\])*)"/y;
const TOKEN = /[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*/y;
const BYTES = /:([A-Za-z0-9+/=]*):/y;
const BOOLEAN = /\?([01])/y;
const SPACES = / */y;
const WHITE_SPACE = /[ \t]*/y;

export function isInnerList(member: Item | InnerList): member is InnerList {
  return 'items' in member;
}

/**
 * Reads a Dictionary (RFC 9651 §4.2.2), stricter than the RFC in two points: a key or parameter that stands twice is refused instead of
 * the last one counting, and byte sequences must be canonical Base 64. Refuses `signature.malformed` (400) and names the field.
 */
export function parseDictionary(text: string, field: string): Dictionary {
  return new Reader(text, field).dictionary();
}

class Reader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly field: string,
  ) {
    if (text.length > fieldCharsMax) throw this.refuse('the field is too long', `fieldCharsMax=${fieldCharsMax}`);
  }

  dictionary(): Dictionary {
    const members = new Map<string, Item | InnerList>();
    this.take(SPACES);
    while (this.at < this.text.length) {
      const key = this.key(members);
      members.set(key, this.skip('=') ? this.member() : { value: true, params: this.parameters() });
      this.take(WHITE_SPACE);
      if (this.at === this.text.length) return members;
      if (!this.skip(',')) throw this.refuse('expected a comma between members');
      this.take(WHITE_SPACE);
      if (this.at === this.text.length) throw this.refuse('a comma at the end');
    }
    return members;
  }

  private member(): Item | InnerList {
    if (!this.skip('(')) return this.item();
    const items: Item[] = [];
    for (;;) {
      this.take(SPACES);
      if (this.skip(')')) return { items, params: this.parameters() };
      items.push(this.item());
      if (this.text[this.at] !== ' ' && this.text[this.at] !== ')') throw this.refuse('expected a space or ")" in the list');
    }
  }

  private item(): Item {
    return { value: this.bareItem(), params: this.parameters() };
  }

  private parameters(): Parameters {
    const params = new Map<string, BareItem>();
    while (this.skip(';')) {
      this.take(SPACES);
      const key = this.key(params);
      params.set(key, this.skip('=') ? this.bareItem() : true);
    }
    return params;
  }

  private bareItem(): BareItem {
    const [integer] = this.take(INTEGER);
    if (integer !== undefined) return Number(integer);
    const [, string] = this.take(STRING);
    if (string !== undefined) return string.replace(/\\(["\\])/g, '$1');
    const [, bytes] = this.take(BYTES);
    if (bytes !== undefined) return parseBase64(bytes, 'signature.malformed');
    const [, boolean] = this.take(BOOLEAN);
    if (boolean !== undefined) return boolean === '1';
    const [token] = this.take(TOKEN);
    if (token !== undefined) return new Token(token);
    throw this.refuse('expected an integer, a string, bytes between colons, a boolean or a token');
  }

  private key(taken: ReadonlyMap<string, unknown>): string {
    const [key] = this.take(KEY);
    if (key === undefined) throw this.refuse('expected a name in lower case');
    if (taken.has(key)) throw this.refuse(`"${key}" stands twice`);
    return key;
  }

  private skip(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  private take(pattern: RegExp): readonly (string | undefined)[] {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match ?? [];
  }

  private refuse(what: string, limit?: string): Refusal {
    const place = `${what} (character ${this.at + 1})`;
    return new Refusal('malformed', 'signature.malformed', place, { field: this.field, ...(limit === undefined ? {} : { limit }) });
  }
}

/** The one spelling of an inner list (RFC 9651 §4.1.1.1): the form that a signature covers. */
export function formatInnerList({ items, params }: InnerList): string {
  return `(${items.map(formatItem).join(' ')})${formatParameters(params)}`;
}

export function formatItem({ value, params }: Item): string {
  return formatBareItem(value) + formatParameters(params);
}

function formatParameters(params: Parameters): string {
  return [...params].map(([key, value]) => (value === true ? `;${key}` : `;${key}=${formatBareItem(value)}`)).join('');
}

function formatBareItem(value: BareItem): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? '?1' : '?0';
  return value instanceof Token ? value.name : `:${toBase64(value)}:`;
}

import { Refusal } from '#kernel';
import { parseBase64, toBase64 } from '../base64.js';

/** A bare item of Structured Fields (RFC 9651 §3.3): of its types those that signature and digest fields use. */
export type BareItem = string | number | boolean | Uint8Array | Token;
class Token {
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
const fieldCharsMax = 16_384;

const KEY = /([a-z*][a-z0-9_.*-]*)/y;
const INTEGER = /(-?[0-9]{1,15})(?![0-9.])/y;
const STRING = /"((?:[ !#-[\]-~]|\\["\\])*)"/y;
const TOKEN = /([A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*)/y;
const BYTES = /:([A-Za-z0-9+/=]*):/y;
const BOOLEAN = /\?([01])/y;
const SPACES = ' ';
const WHITE_SPACE = ' \t';

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
    this.pass(SPACES);
    while (this.at < this.text.length) {
      const key = this.key(members);
      members.set(key, this.skip('=') ? this.member() : { value: true, params: this.parameters() });
      this.pass(WHITE_SPACE);
      if (this.at === this.text.length) return members;
      if (!this.skip(',')) throw this.refuse('expected a comma between members');
      this.pass(WHITE_SPACE);
      if (this.at === this.text.length) throw this.refuse('a comma at the end');
    }
    return members;
  }

  private member(): Item | InnerList {
    if (!this.skip('(')) return this.item();
    const items: Item[] = [];
    for (;;) {
      this.pass(SPACES);
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
      this.pass(SPACES);
      const key = this.key(params);
      params.set(key, this.skip('=') ? this.bareItem() : true);
    }
    return params;
  }

  /** What an item is shows in its first character (RFC 9651 §4.2.3.1). */
  private bareItem(): BareItem {
    switch (this.text[this.at]) {
      case '"':
        return this.string();
      case ':':
        return this.bytes();
      case '?':
        return this.need(BOOLEAN) === '1';
    }
    const integer = this.take(INTEGER);
    return integer === undefined ? new Token(this.need(TOKEN)) : Number(integer);
  }

  private string(): string {
    const string = this.need(STRING);
    return string.includes('\\') ? string.replace(/\\(["\\])/g, '$1') : string;
  }

  private bytes(): Uint8Array {
    return parseBase64(this.need(BYTES), 'signature.malformed');
  }

  private need(pattern: RegExp): string {
    const found = this.take(pattern);
    if (found !== undefined) return found;
    throw this.refuse('expected an integer, a string, bytes between colons, a boolean or a token');
  }

  private key(taken: ReadonlyMap<string, unknown>): string {
    const key = this.take(KEY);
    if (key === undefined) throw this.refuse('expected a name in lower case');
    if (taken.has(key)) throw this.refuse(`"${key}" stands twice`);
    return key;
  }

  private skip(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  /** The first group of the pattern at this place. */
  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match?.[1];
  }

  private pass(chars: string): void {
    while (this.at < this.text.length && chars.includes(this.text[this.at]!)) this.at++;
  }

  private refuse(what: string, limit?: string): Refusal {
    const place = `${what} (character ${this.at + 1})`;
    return new Refusal('malformed', 'signature.malformed', place, { field: this.field, ...(limit === undefined ? {} : { limit }) });
  }
}

/** The one spelling of an inner list (RFC 9651 §4.1.1.1): the form that a signature covers. `names`: its items, where they are spelt already. */
export function formatInnerList({ items, params }: InnerList, names: readonly string[] = items.map(formatItem)): string {
  return `(${names.join(' ')})${formatParameters(params)}`;
}

export function formatItem({ value, params }: Item): string {
  return formatBareItem(value) + formatParameters(params);
}

function formatParameters(params: Parameters): string {
  let text = '';
  for (const [key, value] of params) text += value === true ? `;${key}` : `;${key}=${formatBareItem(value)}`;
  return text;
}

function formatBareItem(value: BareItem): string {
  if (typeof value === 'string') return `"${/["\\]/.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? '?1' : '?0';
  return value instanceof Token ? value.name : `:${toBase64(value)}:`;
}

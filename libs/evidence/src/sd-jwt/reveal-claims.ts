import type { JsonObject, JsonValue } from '../jose/strict-json.js';
import { type Disclosure, digestOfDisclosure, malformed, parseDisclosure } from './disclosure.js';

/**
 * Puts disclosed claims in their place and drops every digest (RFC 9901 §7.1). Refuses `signature.malformed` for a digest that stands twice,
 * a disclosure that is not signed or stands twice, a claim of a name that is there already, and hashes other than SHA-256.
 */
export function revealClaims(payload: JsonObject, disclosures: readonly string[]): JsonObject {
  const { _sd_alg = 'sha-256', ...rest } = payload;
  if (_sd_alg !== 'sha-256') throw malformed('_sd_alg must be sha-256');
  const reader = new Reader(disclosures);
  const revealed = reader.object(rest);
  reader.checkAllUsed();
  return revealed;
}

class Reader {
  private readonly waiting: Map<string, Disclosure>;
  private readonly seen = new Set<string>();

  constructor(disclosures: readonly string[]) {
    this.waiting = new Map(disclosures.map((text) => [digestOfDisclosure(text), parseDisclosure(text)]));
    if (this.waiting.size !== disclosures.length) throw malformed('a disclosure stands twice');
  }

  checkAllUsed(): void {
    if (this.waiting.size > 0) throw malformed('a disclosure is none that the issuer signed');
  }

  object({ _sd = [], ...plain }: JsonObject): JsonObject {
    if (Object.hasOwn(plain, '...')) throw malformed('... stands outside an array');
    const revealed = new Map<string, JsonValue>(Object.entries(plain).map(([name, value]) => [name, this.value(value)]));
    for (const disclosure of digestsOf(_sd).flatMap((digest) => this.take(digest) ?? [])) {
      const { name } = disclosure;
      if (name === undefined) throw malformed('an element of an array is disclosed as a claim');
      if (revealed.has(name)) throw malformed(`the claim ${name} stands twice`);
      revealed.set(name, this.value(disclosure.value));
    }
    return Object.fromEntries(revealed);
  }

  private value(value: JsonValue): JsonValue {
    if (Array.isArray(value)) return (value as readonly JsonValue[]).flatMap((element) => this.element(element));
    return typeof value === 'object' && value !== null ? this.object(value as JsonObject) : value;
  }

  /** One element, or none where it is hidden. */
  private element(element: JsonValue): JsonValue[] {
    if (typeof element !== 'object' || element === null || !Object.hasOwn(element, '...')) return [this.value(element)];
    const { '...': digest, ...more } = element as JsonObject;
    if (typeof digest !== 'string' || Object.keys(more).length > 0) throw malformed('a hidden element holds a digest and nothing else');
    const disclosure = this.take(digest);
    if (!disclosure) return [];
    if (disclosure.name !== undefined) throw malformed('a claim is disclosed as an element of an array');
    return [this.value(disclosure.value)];
  }

  /** The disclosure of this digest, where the holder shows it: a decoy and a claim kept hidden look alike. */
  private take(digest: string): Disclosure | undefined {
    if (this.seen.has(digest)) throw malformed('a digest stands twice');
    this.seen.add(digest);
    const found = this.waiting.get(digest);
    this.waiting.delete(digest);
    return found;
  }
}

function digestsOf(value: JsonValue): string[] {
  if (Array.isArray(value) && value.every((digest) => typeof digest === 'string')) return value as string[];
  throw malformed('_sd must be a list of digests');
}

import type { FactPosition, FactValue } from '#kernel';
import canonicalizeJson from 'canonicalize';

const utf8 = new TextEncoder();

/** The canonical form of a JSON value: RFC 8785 (JCS). */
export function canonicalize(value: unknown): string {
  // JSON.stringify writes names as they stand, and all else as JCS does.
  if (isInOrder(value)) return JSON.stringify(value);
  const text = (canonicalizeJson as unknown as (input: unknown) => string | undefined)(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}

/** Whether its names stand in the order of JCS already: facts are written so, and read back so. This takes a tenth of the time. */
function isInOrder(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'string' || typeof value === 'boolean' || value === null;
  if ('toJSON' in value) return false;
  if (Array.isArray(value)) return value.every(isInOrder);
  let last: string | undefined;
  for (const name in value) {
    if ((last !== undefined && last >= name) || !isInOrder((value as Record<string, unknown>)[name])) return false;
    last = name;
  }
  return true;
}

export function canonicalBytes(value: unknown): Uint8Array {
  return utf8.encode(canonicalize(value));
}

/** A fact's body as it is stored and sealed. */
export function encodeFactBody(body: { readonly [name: string]: FactValue }): string {
  return canonicalize(body);
}

/** A fact as it stands in the database: its body is already canonical. */
export interface StoredFact extends FactPosition {
  readonly kind: string;
  readonly subject?: string | undefined;
  readonly participant?: string | undefined;
  readonly body: { readonly [name: string]: FactValue };
}

/**
 * The bytes that a log entry commits to: an explicit list of fields in canonical form. Version 1.
 * Subject ids are random and internal, so an entry names nobody (CONTRACT.md §9).
 */
export function encodeLogEntry(fact: StoredFact): Uint8Array {
  return canonicalBytes({
    at: fact.at.toISOString(),
    body: fact.body,
    kind: fact.kind,
    ...(fact.participant === undefined ? {} : { participant: fact.participant }),
    seq: fact.seq.toString(),
    shard: fact.shard,
    ...(fact.subject === undefined ? {} : { subject: fact.subject }),
    v: 1,
  });
}

import type { FactPosition, FactValue } from '#kernel';
import canonicalizeJson from 'canonicalize';

const utf8 = new TextEncoder();

/** The canonical form of a JSON value: RFC 8785 (JCS). */
export function canonicalize(value: unknown): string {
  const text = (canonicalizeJson as unknown as (input: unknown) => string | undefined)(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
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
    v: 1,
    shard: fact.shard,
    seq: fact.seq.toString(),
    at: fact.at.toISOString(),
    kind: fact.kind,
    ...(fact.subject === undefined ? {} : { subject: fact.subject }),
    ...(fact.participant === undefined ? {} : { participant: fact.participant }),
    body: fact.body,
  });
}

import { type CreditRecord, parseCreditRecord, type Performance, type Rating, type Violation } from '#contract';
import { parseJsonStrict, type SignedJson } from '#evidence';
import { parseId, type ShardedId } from '#kernel';

/** A credit record with what identifies it: the SHA-256 of the payload bytes that were signed, never of anything re-serialised. */
export interface SignedRecord {
  readonly record: CreditRecord;
  readonly payloadBytes: Uint8Array;
  readonly payloadDigest: Uint8Array;
  /** Where one signature covers many records: which of them this is. */
  readonly sealed?: SealedPlace;
  readonly provenance?: Provenance;
}

/** What a record came under and with; its fact names both, so that they can be proved years later. */
export interface Provenance {
  /** RFC 7638 thumbprint of the key that signed it, or the manifest over it. */
  readonly key: string;
  /** SHA-256 of the client certificate, base64url (RFC 8705 x5t#S256). */
  readonly certificate?: string;
}

/** A line of a sealed batch, on the shard of its issuer; `index` counts from 0. */
export interface SealedPlace {
  readonly batch: string;
  readonly index: number;
}

/** For `mapVerified`: reads the payload of a verified JWS. Refuses what `parseCreditRecord` refuses. */
export function readSignedRecord(signed: SignedJson, sha256: (bytes: Uint8Array) => Uint8Array): SignedRecord {
  return { record: parseCreditRecord(signed.payload), payloadBytes: signed.payloadBytes, payloadDigest: sha256(signed.payloadBytes) };
}

/** The same for a verified line of a sealed batch: the line is the payload. Refuses what `parseJsonStrict` refuses as `record.malformed`, too. */
export function readSealedRecord(line: Uint8Array, sealed: SealedPlace, sha256: (bytes: Uint8Array) => Uint8Array): SignedRecord {
  return { record: parseCreditRecord(parseJsonStrict(line, 'record.malformed')), payloadBytes: line, payloadDigest: sha256(line), sealed };
}

/** The body of a record that says something about a subject. */
export type Statement =
  | { readonly kind: 'rating'; readonly rating: Rating }
  | { readonly kind: 'performance'; readonly performance: Performance }
  | { readonly kind: 'violation'; readonly violation: Violation };

/** A statement that counts now: neither corrected, withdrawn, cleared nor past its validity. */
export interface RecordInForce {
  readonly iss: string;
  readonly jti: string;
  /** The first record of a chain of corrections; its own jti where there was none. */
  readonly rootJti: string;
  readonly asOf: Date;
  readonly validUntil: Date;
  readonly body: Statement;
}

/** A record as it is kept: the bytes as received, and its place among the facts. */
export interface StoredRecord {
  readonly iss: string;
  readonly jti: string;
  readonly seq: number;
  readonly ref: ShardedId;
  readonly subject: ShardedId;
  readonly kind: CreditRecord['kind'];
  readonly names?: string | undefined;
  readonly issuedAt: Date;
  readonly payloadDigest: Uint8Array;
  readonly received: Uint8Array;
  readonly acceptedAt: Date;
  readonly factSeq: bigint;
  /** As it was given at once; undefined where it is signed when it is first asked for (`receiptsOf`). */
  readonly receipt?: string | undefined;
  /** Of the commitment in its fact, where there is no receipt yet to hold it. */
  readonly salt?: Uint8Array | undefined;
  readonly sealed?: SealedPlace | undefined;
  /** Of a line of a sealed batch, when it is read back: the JWS that signs its batch. */
  readonly manifest?: Uint8Array;
}

export function refOf(record: CreditRecord): ShardedId {
  return parseId('lnk', record.sub);
}

/** The record that a clearance, correction or withdrawal is about. */
export function namedBy(record: CreditRecord): string | undefined {
  if (record.kind === 'clearance') return record.clearance.clears;
  if (record.kind === 'correction') return record.correction.replaces;
  return record.kind === 'withdrawal' ? record.withdrawal.replaces : undefined;
}

/** What a record states about its subject; undefined for one that only ends another. */
export function statementOf(record: CreditRecord): Statement | undefined {
  const source = record.kind === 'correction' ? record.correction : record;
  if ('rating' in source && source.rating) return { kind: 'rating', rating: source.rating };
  if ('performance' in source && source.performance) return { kind: 'performance', performance: source.performance };
  if ('violation' in source && source.violation) return { kind: 'violation', violation: source.violation };
  return undefined;
}

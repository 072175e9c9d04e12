import type { Dispute } from '#records';
import type { Shard, ShardedId } from '#kernel';
import type { StoredEvent } from '../event.js';
import type { Chain } from '../imposed.js';
import type { DisputePolicy } from './dispute-policy.js';

/** An answer as the furnisher sent it: the request and its signature, kept as evidence. */
export interface AnswerEvidence {
  readonly participant: string;
  /** Of the certificate it came with, base64url (RFC 8705 x5t#S256). */
  readonly certificate?: string | undefined;
  readonly keyid?: string | undefined;
  /** What was signed (RFC 9421 §2.5), and the signature, base64url. Absent where the gateway asks for none. */
  readonly signatureBase?: string | undefined;
  readonly signature?: string | undefined;
  readonly body: Uint8Array;
}

/** Disputes, inside one transaction that holds their subject. */
export interface DisputeBook {
  find(id: ShardedId): Promise<Dispute | undefined>;
  byKey(subject: ShardedId, caller: string, key: string): Promise<Dispute | undefined>;
  /** All disputes of the record and its corrections, the first one first. */
  ofChain(subject: ShardedId, chain: Chain): Promise<Dispute[]>;
  /** What the active policy of this shard says of disputes. */
  policy(shard: Shard): Promise<DisputePolicy>;
  save(dispute: Dispute): Promise<void>;
  keepAnswer(dispute: Dispute, evidence: AnswerEvidence): Promise<void>;
  /** The links whose banks received what this record bore on: they read the rating since its first fact, or were told of a restriction. */
  recipients(subject: ShardedId, chain: Chain, sinceSeq: bigint): Promise<string[]>;
  /** Notes which events tell of a dispute, so that their delivery can be shown. */
  keepNotices(subject: ShardedId, dispute: string, events: readonly StoredEvent[]): Promise<void>;
  /** Whether all that was told of the dispute by now is acknowledged. */
  isHeard(subject: ShardedId, dispute: string): Promise<boolean>;
}

/** One participant that was told of a dispute, and whether it has acknowledged. */
export interface DisputeNotice {
  readonly event: string;
  readonly participant: string;
  readonly kind: string;
  readonly toldAt: Date;
  readonly heardAt?: Date | undefined;
}

/** A dispute with the proof of delivery of everything that was told of it. */
export interface DisputeFile {
  readonly dispute: Dispute;
  readonly notices: readonly DisputeNotice[];
}

/** A record that counts now, for its subject. */
export interface SubjectRecord {
  readonly issuer: string;
  readonly jti: string;
  readonly kind: string;
  readonly asOf: Date;
  readonly validUntil: Date;
  readonly dispute?: string | undefined;
}

/** Lists, outside of any transaction. */
export interface DisputeReader {
  /** The newest first; undefined for a subject that is not registered. */
  ofSubject(subject: ShardedId): Promise<DisputeFile[] | undefined>;
  recordsOf(subject: ShardedId): Promise<SubjectRecord[] | undefined>;
  find(id: ShardedId): Promise<DisputeFile | undefined>;
  /** Open ones of which the answer is due first, then closed ones whose result is not heard by everybody. */
  open(countMax: number): Promise<DisputeFile[]>;
  /** Of records of this participant, the newest first. */
  ofIssuer(iss: string, countMax: number): Promise<Dispute[]>;
  /** Those of which a clock is due; the time is PostgreSQL's where that is later. */
  due(at: Date, countMax: number): Promise<{ readonly id: ShardedId; readonly at: Date }[]>;
}

import type { DisputeState, RecordKind } from '#contract';
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

/** What became of a record that states something: only one that is IN_FORCE counts. REMOVED: its furnisher was silent when it was disputed. */
export type SubjectRecordState = 'IN_FORCE' | 'CORRECTED' | 'WITHDRAWN' | 'CLEARED' | 'REMOVED' | 'EXPIRED';

/** A record about a subject, without its content. */
export interface SubjectRecord {
  readonly issuer: string;
  readonly jti: string;
  readonly kind: RecordKind;
  readonly issuedAt: Date;
  readonly receivedAt: Date;
  /** The place of its fact. */
  readonly factSeq: bigint;
  /** Undefined for one that only ends another. */
  readonly state?: SubjectRecordState | undefined;
  /** The record that it corrects, withdraws or clears. */
  readonly names?: string | undefined;
  /** While it is in force. */
  readonly asOf?: Date | undefined;
  readonly validUntil?: Date | undefined;
  /** The dispute that is open about it. */
  readonly dispute?: string | undefined;
}

/** A page of disputes, the newest first: those before `after`, of all states or one. */
export interface DisputePage {
  readonly after?: string | undefined;
  readonly countMax: number;
  readonly state?: DisputeState | undefined;
}

/** A page of records, the newest first: those before the fact `after`; all, or what counts now. */
export interface RecordPage {
  readonly after?: bigint | undefined;
  readonly countMax: number;
  readonly inForce: boolean;
}

/** Lists, outside of any transaction. */
export interface DisputeReader {
  /** The newest first; undefined for a subject that is not registered. */
  ofSubject(subject: ShardedId, page: DisputePage): Promise<DisputeFile[] | undefined>;
  /** The newest first; undefined for a subject that is not registered. */
  recordsOf(subject: ShardedId, page: RecordPage): Promise<SubjectRecord[] | undefined>;
  find(id: ShardedId): Promise<DisputeFile | undefined>;
  /** Open ones of which the answer is due first, then closed ones whose result is not heard by everybody. */
  open(countMax: number): Promise<DisputeFile[]>;
  /** Of records of this participant, the newest first. */
  ofIssuer(iss: string, page: DisputePage): Promise<Dispute[]>;
  /** Those of which a clock is due; the time is PostgreSQL's where that is later. */
  due(at: Date, countMax: number): Promise<{ readonly id: ShardedId; readonly at: Date }[]>;
}

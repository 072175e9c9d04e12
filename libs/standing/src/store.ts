import type { ConsentBook, ConsentLedger, Link, Subject } from '#consents';
import type { FactPosition, Facts, ShardedId } from '#kernel';
import type { NonceClaim } from '#partners';
import type { Claim, ForceChange, RecordBook, RecordIdentity, RecordInForce, StoredRecord } from '#records';
import type { AppealBook } from './appeal-store.js';
import type { DisputeBook } from './dispute/dispute-store.js';
import type { StoredEvent } from './event.js';
import type { Ladder } from './ladder.js';
import type { KnownStanding } from './rescore.js';
import type { StandingSaving } from './save-change.js';

/** One version of a standing as it is kept: its content is what the fact's commitment binds to. */
export interface StandingVersion {
  readonly subject: ShardedId;
  readonly version: bigint;
  readonly content: object;
  readonly salt: string;
  /** The record that brought it about; none where time or a person did. */
  readonly cause?: { readonly iss: string; readonly jti: string } | undefined;
  readonly position: FactPosition;
}

/** A subject to be judged anew, with the marks that lines of batches left at it. */
export interface DueSubject extends ShardedId {
  readonly marks?: readonly bigint[];
}

/** Everything by which a subject is judged; it stays true to the end of the transaction. */
export interface HeldSubject {
  readonly subject: Subject;
  /** Active and ended ones, oldest first. */
  readonly links: readonly Link[];
  readonly inForce: readonly RecordInForce[];
  /** With the restrictions not lifted yet. */
  readonly standing: KnownStanding;
  /** The active policy's. */
  readonly ladder: Ladder;
}

/** What is known of standings, inside one transaction. It changes only after the facts that say so were appended. */
export interface StandingBook {
  add(standing: KnownStanding, first: StandingVersion): Promise<void>;
  save(saving: StandingSaving): Promise<void>;
  addEvents(events: readonly StoredEvent[]): Promise<void>;
}

export interface FactBook {
  append(facts: Facts): Promise<FactPosition[]>;
}

/** An accepted record with all that it changes. */
export interface AcceptedSaving {
  readonly standing: StandingSaving;
  readonly force: ForceChange;
  readonly record: StoredRecord;
}

/** Everything one transaction of the exchange may read and write. */
export interface Books {
  readonly consents: ConsentBook;
  readonly consentLedger: ConsentLedger;
  readonly records: RecordBook;
  readonly standings: StandingBook;
  readonly appeals: AppealBook;
  readonly disputes: DisputeBook;
  readonly facts: FactBook;
  /** False where this nonce was used before. First of all in its transaction: nonces come before subjects in the order of locks. */
  claimNonce(claim: NonceClaim): Promise<boolean>;
  /** Whoever holds a subject is alone in changing what is known of it, to the end of the transaction. */
  hold(subject: ShardedId): Promise<HeldSubject | undefined>;
  /** Holds the subject of a record's link, then claims the record's names: one trip to the database. */
  meet(identity: RecordIdentity): Promise<{ readonly claim: Claim; readonly held: HeldSubject | undefined }>;
  /** Saves an accepted record and the standing it changes; records past their validity are forgotten. One trip, too. */
  saveAccepted(saving: AcceptedSaving): Promise<void>;
}

export interface Exchange {
  /** Saves all of it when `work` returns, nothing when it throws. `work` may be run again where nothing of the first time was kept. */
  transaction<T>(work: (books: Books) => Promise<T>): Promise<T>;
  /** Subjects whose standing time alone has changed by now, or lines of batches have; of each kind the longest due first. */
  due(at: Date, countMax: number): Promise<DueSubject[]>;
}

/** Why a participant could not take an event (RFC 8936 §2.4.3). */
export interface EventFailure {
  readonly err: string;
  readonly description?: string | undefined;
}

/** What waits for a participant to hear. */
export interface EventQueue {
  /** Those after a failed event of their subject wait with it until its next try; in the order they happened. */
  waiting(participant: string, countMax: number, at: Date): Promise<StoredEvent[]>;
  /** Ids that are not the participant's are ignored. */
  acknowledge(participant: string, ids: readonly string[], at: Date): Promise<void>;
  /** Counts a failure and tries again after `retryAfterMs(failures so far)`. */
  fail(participant: string, failures: ReadonlyMap<string, EventFailure>, at: Date): Promise<void>;
}

/** 10 s, doubled with every failure, an hour at most. */
export function retryAfterMs(failures: number): number {
  return Math.min(10_000 * 2 ** Math.min(failures, 10), 3_600_000);
}

import type { ConsentBook } from '#consents';
import type { FactPosition, Facts, ShardedId } from '#kernel';
import type { RecordBook } from '#records';
import type { StoredEvent } from './event.js';
import type { LiftedWhy } from './ladder.js';
import type { KnownStanding, StandingChange } from './rescore.js';

/** One version of a standing as it is kept: its content is what the fact's commitment binds to. */
export interface StandingVersion {
  readonly subject: ShardedId;
  readonly version: bigint;
  readonly content: object;
  readonly salt: string;
  /** The record that brought it about; none where time did. */
  readonly cause?: { readonly iss: string; readonly jti: string } | undefined;
  readonly position: FactPosition;
}

/** What is known of standings, inside one transaction. It changes only after the facts that say so were appended. */
export interface StandingBook {
  /** With the restrictions not lifted yet. */
  load(subject: ShardedId): Promise<KnownStanding | undefined>;
  add(standing: KnownStanding, at: Date): Promise<void>;
  save(change: StandingChange, why: LiftedWhy, at: Date): Promise<void>;
  addVersion(version: StandingVersion): Promise<void>;
  addEvents(events: readonly StoredEvent[]): Promise<void>;
}

export interface FactBook {
  append(facts: Facts): Promise<FactPosition[]>;
}

/** Everything one transaction of the exchange may read and write. */
export interface Books {
  readonly consents: ConsentBook;
  readonly records: RecordBook;
  readonly standings: StandingBook;
  readonly facts: FactBook;
}

export interface Exchange {
  /** Saves all of it when `work` returns, nothing when it throws. */
  transaction<T>(work: (books: Books) => Promise<T>): Promise<T>;
  /** Subjects whose standing time alone has changed by now, the longest due first. */
  due(at: Date, countMax: number): Promise<ShardedId[]>;
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

import type { FactPosition, ShardedId, Verified } from '#kernel';
import type { NonceClaim } from '#partners';
import type { RecordIdentity, RecordInForce, SignedRecord, StoredRecord } from '#records';
import type { StandingSaving } from '../save-change.js';
import type { DueSubject, FactBook, HeldSubject } from '../store.js';
import type { TakenName } from './names.js';

/** A record as it arrived, with the nonce of the request that brought it: claimed in the transaction of its effect (CONTRACT.md §2). */
export interface Arrival {
  readonly incoming: Verified<SignedRecord>;
  readonly nonce?: NonceClaim | undefined;
}

/** What arrivals found. */
export interface Met {
  /** The subjects, by the UUIDs of their links. */
  readonly held: ReadonlyMap<string, HeldSubject>;
  /** Those of the nonces that were used before. */
  readonly replayed: ReadonlySet<NonceClaim>;
}

/** Subjects that may be due. */
export interface HeldDue {
  readonly held: readonly HeldSubject[];
  /** The UUIDs of those at which lines of batches had left a mark, until now. */
  readonly marked: ReadonlySet<string>;
}

/** A record that only adds, as it is kept and as it counts from now on. */
export interface AddedRecord {
  readonly record: StoredRecord;
  readonly inForce: RecordInForce;
}

/** Thrown where a name that was thought free is taken: ask which, and judge again. */
export class NameTaken extends Error {
  override readonly name = 'NameTaken';
}

/**
 * What one transaction over many records may read and write, each in one statement. Locks are taken in one order by everybody who accepts
 * records: nonces, subjects, then names, then shard heads, each in ascending order.
 */
export interface TogetherBooks {
  readonly facts: FactBook;
  /** Claims the nonces, then holds the subjects of these links to the end of the transaction. */
  meet(refs: readonly ShardedId[], nonces: readonly NonceClaim[]): Promise<Met>;
  /** Holds subjects that may be due, and takes their marks away; one that does not exist is left out. */
  holdDue(due: readonly DueSubject[]): Promise<HeldDue>;
  /** Records of these held subjects, by `nameOf`, that were accepted since the last version of their standings. */
  sinceVersion(subjects: readonly ShardedId[]): Promise<ReadonlySet<string>>;
  /** Those of these names that are taken, by whatever record. */
  taken(identities: readonly RecordIdentity[]): Promise<readonly TakenName[]>;
  /** Throws `NameTaken`. */
  claim(identities: readonly RecordIdentity[]): Promise<void>;
  /** Keeps a second payload under used names; false where exactly this one is kept already. */
  keepEquivocation(identity: RecordIdentity, received: Uint8Array, at: Date): Promise<boolean>;
  /** Saves judged standings, of each subject one after the other, and the records that brought them about. */
  saveJudged(standings: readonly StandingSaving[], added: readonly AddedRecord[]): Promise<void>;
  /** The receipts of accepted records, by `nameOf`. */
  receipts(names: readonly Pick<RecordIdentity, 'iss' | 'jti'>[]): Promise<ReadonlyMap<string, string>>;
}

export interface TogetherExchange {
  /**
   * Saves all of it when `work` returns, nothing when it throws; `work` may be run again where nothing of the first time was kept. Throws
   * `LostReply` where it may be saved or not.
   */
  together<T>(work: (books: TogetherBooks) => Promise<T>): Promise<T>;
}

const claimRoundsMax = 5;

/** Runs again where a name that was thought free is taken by now: whoever took it has committed. `asks`: not for the first time. */
export async function untilNamesAreFree<T>(run: (asks: boolean) => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await run(round > 1);
    } catch (error) {
      if (!(error instanceof NameTaken) || round === claimRoundsMax) throw error;
    }
  }
}

/** The places of so many facts for each, out of the places of all. */
export function placesOf(counts: readonly number[], positions: readonly FactPosition[]): FactPosition[][] {
  let from = 0;
  return counts.map((count) => positions.slice(from, (from += count)));
}

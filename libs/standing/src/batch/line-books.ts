import type { Link, Subject } from '#consents';
import type { ShardedId } from '#kernel';
import type { BatchProgress, RecordIdentity, RecordInForce, StoredRecord } from '#records';
import type { Books, FactBook } from '../store.js';

/** Names that records of one issuer have taken before. */
export interface TakenNames {
  /** Payload digests by jti. */
  readonly digests: ReadonlyMap<string, Uint8Array>;
  /** jti by seq. */
  readonly seqs: ReadonlyMap<number, string>;
}

export interface HeldLink {
  readonly link: Link;
  readonly subject: Subject;
  /** How many records of the link's participant about this subject are in force. */
  readonly inForceCount: number;
}

/** Thrown where a name that was thought free is taken: ask which, and judge again. */
export class NameTaken extends Error {
  override readonly name = 'NameTaken';
}

/** What one transaction over many records of one issuer may read and write, each in one statement. */
export interface LineBooks {
  readonly facts: FactBook;
  readonly progress: BatchProgress;
  taken(iss: string, identities: readonly RecordIdentity[]): Promise<TakenNames>;
  /** Holds the subjects of these links, in one order, and answers by the link's UUID. */
  holdLinks(refs: readonly ShardedId[]): Promise<ReadonlyMap<string, HeldLink>>;
  /** Throws `NameTaken`. */
  claim(identities: readonly RecordIdentity[]): Promise<void>;
  keep(records: readonly StoredRecord[], inForce: readonly RecordInForce[]): Promise<void>;
  /** Their standings are to be judged anew, at once. */
  markDue(subjects: readonly ShardedId[], at: Date): Promise<void>;
}

export interface LineExchange {
  /** For lines that only add, many together. */
  many<T>(work: (books: LineBooks) => Promise<T>): Promise<T>;
  /** For a line that has to be judged at once. */
  one<T>(work: (books: Books, progress: BatchProgress) => Promise<T>): Promise<T>;
}

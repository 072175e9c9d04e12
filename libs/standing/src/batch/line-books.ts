import type { Link, Subject } from '#consents';
import type { ShardedId } from '#kernel';
import type { BatchProgress } from '#records';
import type { Books } from '../store.js';
import type { AddedRecord, TogetherBooks } from '../together/together-books.js';

export interface HeldLink {
  readonly link: Link;
  readonly subject: Subject;
  /** How many records of the link's participant about this subject are in force. */
  readonly inForceCount: number;
}

/** What one transaction over many records of one issuer may read and write, each in one statement; locks in the order of `TogetherBooks`. */
export interface LineBooks extends Pick<TogetherBooks, 'facts' | 'taken' | 'claim'> {
  readonly progress: BatchProgress;
  /** Holds the subjects of these links, in one order, and answers by the link's UUID. */
  holdLinks(refs: readonly ShardedId[]): Promise<ReadonlyMap<string, HeldLink>>;
  /** Keeps records of one issuer, and where in a sealed batch they stood; the standings of their subjects are to be judged anew, at once. */
  keep(added: readonly AddedRecord[], at: Date): Promise<void>;
}

export interface LineExchange {
  /** For lines that only add, many together. */
  many<T>(work: (books: LineBooks) => Promise<T>): Promise<T>;
  /** For a line that has to be judged at once. */
  one<T>(work: (books: Books, progress: BatchProgress) => Promise<T>): Promise<T>;
}

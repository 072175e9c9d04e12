import type { Link, Subject } from '#consents';
import type { ShardedId } from '#kernel';
import type { BatchProgress, BatchStep, RecordInForce } from '#records';
import type { Books } from '../store.js';
import type { TogetherBooks } from '../together/together-books.js';
import type { PreparedLine } from './prepare-line.js';

export interface HeldLink {
  readonly link: Link;
  readonly subject: Subject;
  /** How many records of the link's participant about this subject are in force. */
  readonly inForceCount: number;
}

/** A line that is accepted, and how it counts from now on. */
export interface AddedLine extends PreparedLine {
  readonly subject: Subject;
  readonly inForce: RecordInForce;
}

/** What one transaction over many records of one issuer may read and write, each in one statement; locks in the order of `TogetherBooks`. */
export interface LineBooks extends Pick<TogetherBooks, 'taken'> {
  /** Where no line is added. */
  readonly progress: BatchProgress;
  /** Holds the subjects of these links, in one order, and answers by the link's UUID. */
  holdLinks(refs: readonly ShardedId[]): Promise<ReadonlyMap<string, HeldLink>>;
  /**
   * Saves a step with the lines that it adds: their names, facts and records, and marks at their subjects, whose standing is judged soon. Throws
   * `NameTaken` and `BatchLeaseLost`.
   */
  add(step: BatchStep, added: readonly AddedLine[]): Promise<void>;
}

export interface LineExchange {
  /** For lines that only add, many together. */
  many<T>(work: (books: LineBooks) => Promise<T>): Promise<T>;
  /** For a line that has to be judged at once. */
  one<T>(work: (books: Books, progress: BatchProgress) => Promise<T>): Promise<T>;
}

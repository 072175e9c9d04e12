import type { Policy } from './compile.js';
import type { PolicyChange, PolicyVersion } from './lifecycle.js';

/** The policy that decides now, held in memory. */
export interface ActivePolicy {
  /** Refuses 503 `policy.none` while no policy is active. */
  current(): Policy;
  /** Reads the database at once: the ledger said that another version is active. */
  reload(): Promise<Policy>;
}

export interface PolicyReader {
  find(version: bigint): Promise<PolicyVersion | undefined>;
  findActive(): Promise<PolicyVersion | undefined>;
}

/** The versions inside one transaction: nobody else changes them meanwhile, and no decision is saved. */
export interface PolicyShelf extends PolicyReader {
  /** How many versions are in shadow. */
  countShadows(): Promise<number>;
  /**
   * Saves versions, in order, and facts; an active version becomes the one that every shard's head row demands, and a
   * shadow begins or ends with the number that each shard has reached.
   */
  save(change: PolicyChange): Promise<void>;
}

/** Every version of the policy there ever was. */
export interface PolicyBook extends PolicyReader {
  /** Saves all of it when `work` returns, nothing when it throws. */
  transaction<T>(work: (shelf: PolicyShelf) => Promise<T>): Promise<T>;
  /** Newest first. */
  list(): Promise<PolicyVersion[]>;
  /** Approved versions whose `activateAt` has come, in the order of their times. */
  due(at: Date): Promise<bigint[]>;
}

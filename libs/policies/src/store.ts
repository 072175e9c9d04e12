import type { Policy } from './compile.js';

export type PolicyState = 'DRAFT' | 'SHADOW' | 'APPROVED' | 'ACTIVE' | 'RETIRED';

/** The policy that decides now, held in memory. */
export interface ActivePolicy {
  /** Refuses 503 `policy.none` while no policy is active. */
  current(): Policy;
  /** Reads the database at once: the ledger said that another version is active. */
  reload(): Promise<Policy>;
}

import type { FactPosition, ShardedId } from '#kernel';
import type { CallBudget } from './call-budget.js';
import type { Consent } from './consent.js';
import type { ConsentUse } from './use-consent.js';

/** A consent that is held, with the reads counted for its subject, recipient and purpose. */
export interface HeldConsent {
  readonly consent: Consent;
  readonly budget: CallBudget;
}

/** Consents that are held to the end of the transaction; `at` is later than everything that was saved of them before. */
export interface HeldConsents {
  readonly at: Date;
  /** One per id asked for, in order; undefined where there is none. */
  readonly consents: readonly (HeldConsent | undefined)[];
}

/** A use with the place of its fact and what the fact's commitment binds to. */
export interface PlacedUse {
  readonly use: ConsentUse;
  readonly position: FactPosition;
}

/** A changed consent with the artefact that says so. */
export interface ConsentVersion {
  readonly consent: Consent;
  /** A compact JWS, `typ: consent+jwt`. */
  readonly artefact: string;
  /** The fact's commitment is SHA-256(salt || artefact). */
  readonly salt: string;
  /** The service through which the subject acted, or a note of the platform's; never told to the recipient. */
  readonly via: string;
  readonly position: FactPosition;
}

/** How the counts stand after the uses of one transaction. */
export interface Counted {
  readonly consent: Consent;
  readonly budget: CallBudget;
}

/**
 * Consents inside one transaction. Whoever holds a consent is alone in using or changing it: a revocation that was acknowledged is a read
 * refused. Lock order: subjects row, consents by (shard, id), their budgets, shard heads.
 */
export interface ConsentLedger {
  /** Any number of consents, of any shards, repeated ids too, in one trip to the database. */
  hold(ids: readonly ShardedId[]): Promise<HeldConsents>;
  /** Saves what was read and the counts afterwards; `counted` has each consent once. Facts of the uses are appended before. */
  saveUses(uses: readonly PlacedUse[], counted: readonly Counted[]): Promise<void>;
  /** Saves new versions of consents that are held. */
  saveVersions(versions: readonly ConsentVersion[]): Promise<void>;
}

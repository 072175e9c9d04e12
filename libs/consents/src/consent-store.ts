import type { ConsentPurpose } from '#contract';
import type { FactPosition, ShardedId } from '#kernel';
import type { CallBudget } from './call-budget.js';
import type { ConsentChange, ConsentHappened } from './change-consent.js';
import type { Consent, ConsentScope } from './consent.js';
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

/** What is kept of one version of a consent, for good. */
export interface KeptVersion {
  readonly version: number;
  readonly happened: ConsentHappened;
  /** What the artefact of this version says, whoever signs it when: the fact's commitment is SHA-256(salt || JCS(content)). */
  readonly content: Readonly<Record<string, unknown>>;
  readonly salt: string;
  /** The service through which the subject acted, or what of the platform's made it so; never told to the recipient. */
  readonly via: string;
  readonly position: FactPosition;
}

/** A new version, ready to be saved. */
export interface ConsentVersion extends Omit<KeptVersion, 'version'>, ConsentChange {}

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
  /** Saves new versions of consents that are held, or the first version of new ones. */
  saveVersions(versions: readonly ConsentVersion[]): Promise<void>;
  /** Takes a participant's key for this request; answers the request that took it first, where there is one. A concurrent taker is waited for. */
  claimKey(claim: ConsentKeyClaim): Promise<ConsentKeyClaim | undefined>;
  /** Those of a link that something can still become of. Whoever holds the subject sees all of them: none is added meanwhile. */
  liveOfLink(link: ShardedId): Promise<ShardedId[]>;
}

/** A participant's request for a consent under its Idempotency-Key. */
export interface ConsentKeyClaim {
  readonly participant: string;
  readonly key: string;
  /** SHA-256 of the canonical request, base64url. */
  readonly digest: string;
  readonly consent: ShardedId;
}

/** A page of a list: those after `after`, in the list's order; from its beginning where that is undefined. */
export interface ConsentPage<Cursor> {
  readonly after: Cursor | undefined;
  readonly countMax: number;
}

/** A use as it is kept. */
export interface KeptUse {
  readonly consent: ShardedId;
  readonly n: number;
  readonly participant: string;
  readonly purpose: ConsentPurpose;
  /** The version of the consent under which it was read. */
  readonly version: number;
  readonly scope: ConsentScope;
  readonly at: Date;
  /** Up to here the recipient may keep what it read. */
  readonly keepUntil: Date;
  readonly factSeq: bigint;
}

/** Lists, outside of any transaction. */
export interface ConsentReader {
  find(id: ShardedId): Promise<Consent | undefined>;
  /** What each version of a consent says, the first one first. */
  versions(id: ShardedId, page: ConsentPage<number>): Promise<KeptVersion[]>;
  /** The newest first. */
  ofParticipant(participant: string, link: ShardedId | undefined, page: ConsentPage<string>): Promise<Consent[]>;
  /** The newest first; undefined for a subject that is not registered. */
  ofSubject(subject: ShardedId, page: ConsentPage<string>): Promise<Consent[] | undefined>;
  /** The first one first. */
  usesOf(id: ShardedId, page: ConsentPage<number>): Promise<KeptUse[]>;
  /** Of all consents, the newest first. */
  usesOfSubject(subject: ShardedId, page: ConsentPage<bigint>): Promise<KeptUse[] | undefined>;
  /** Those that have expired and are not marked so, the longest overdue first. */
  overdue(countMax: number): Promise<ShardedId[]>;
  /** Those that can still be used or granted though their link is over: a release that did not end them with it is at work beside this one. */
  orphaned(countMax: number): Promise<ShardedId[]>;
}

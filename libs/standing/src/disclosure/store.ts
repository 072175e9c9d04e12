import type { Counted, PlacedUse } from '#consents';
import type { JsonObject, TokenStatus } from '#evidence';
import type { Shard, ShardedId } from '#kernel';
import type { Books } from '../store.js';
import type { ThresholdGrounds } from './frozen-rating.js';
import type { DisclosedContent, KnownRating } from './rating.js';
import type { GivenAnswer } from './threshold-answer.js';

/** One read as it is kept: enough to give the very same answer again. */
export interface Disclosure {
  readonly consent: ShardedId;
  readonly n: number;
  readonly subject: ShardedId;
  readonly link: ShardedId;
  readonly participant: string;
  readonly key?: string | undefined;
  /** SHA-256 of what was asked with the key, base64url. */
  readonly digest: string;
  readonly standingVersion: bigint;
  readonly at: Date;
  readonly keepUntil: Date;
  readonly content: DisclosedContent;
  /** The fact's commitment is SHA-256(salt || JCS(content)). */
  readonly salt: string;
  /** What the salts of the credential's claims are made from, base64url. */
  readonly seed: string;
  /** The public key the credential is bound to; none for a threshold. */
  readonly holderKey?: JsonObject | undefined;
  readonly factSeq: bigint;
}

/** A subject and a participant: whose answer to a threshold it is. */
export interface AnswerPair {
  readonly subject: ShardedId;
  readonly participant: string;
}

export interface KeptAnswer extends AnswerPair {
  readonly given: GivenAnswer;
}

/** A read under a key, as a repetition finds it. */
export interface EarlierRead extends Pick<Disclosure, 'digest' | 'keepUntil'> {
  /** Undefined once it is erased. */
  readonly told?: Disclosure | undefined;
}

/** What is known for one read: the rating of the consent's subject, and what was read under this consent with this key before. */
export interface KnownForRead {
  readonly rating: KnownRating;
  /** Where the consent has a threshold. */
  readonly threshold?: ThresholdGrounds | undefined;
  /** The link between subject and recipient is over, and every consent with it, whoever ended it. */
  readonly linkEnded: boolean;
  readonly earlier?: EarlierRead | undefined;
}

/** What a transaction of reads leaves behind. */
export interface ReadsSaving {
  readonly uses: readonly PlacedUse[];
  readonly counted: readonly Counted[];
  readonly disclosures: readonly Disclosure[];
  readonly answers: readonly KeptAnswer[];
}

/** Disclosures inside one transaction. Consents are held before, facts appended between reading and saving. */
export interface DisclosureBook {
  /** One per read, in order; undefined where there is no such consent. One trip to the database. */
  known(
    reads: readonly { readonly consent: ShardedId; readonly key?: string | undefined }[],
  ): Promise<readonly (KnownForRead | undefined)[]>;
  /** Holds the answers of these pairs to the end of the transaction; a pair that was never answered has none. */
  holdAnswers(pairs: readonly AnswerPair[]): Promise<KeptAnswer[]>;
  /** The uses with their counts, and what was told. One trip, too. */
  save(saving: ReadsSaving): Promise<void>;
}

export interface DisclosureBooks extends Pick<Books, 'facts' | 'standings' | 'consentLedger'> {
  readonly disclosures: DisclosureBook;
}

export interface DisclosureStore {
  /** Rejects with `LostReply` where nobody knows whether it was saved; with anything else, nothing was. `work` may be run again. */
  transaction<T>(work: (books: DisclosureBooks) => Promise<T>): Promise<T>;
}

/** What was told is kept as long as it may be told again or asked about; then only that it was told. */
export interface DisclosureEraser {
  /** Erases what nobody may hold any more since before `daysAgo` days; each shard's part is a fact. Answers how many it erased. */
  erase(daysAgo: number, countMax: number): Promise<number>;
}

/** The status of a credential that is not VALID, by the number of its fact. */
export interface StatusOfFact {
  readonly factSeq: bigint;
  readonly status: TokenStatus;
}

export interface StatusReader {
  /** By shard; the same for ever. */
  secrets(): Promise<ReadonlyMap<Shard, string>>;
  /**
   * Credentials of these facts that no longer stand. INVALID: the consent was revoked or its link is over, a record that what was told rests on was
   * corrected, withdrawn or removed since, or a restriction that was told was overturned. SUSPENDED: the consent is paused, or a record is disputed
   * since. Undefined where the shard has no such facts yet.
   */
  named(shard: Shard, from: bigint, before: bigint, at: Date): Promise<readonly StatusOfFact[] | undefined>;
}

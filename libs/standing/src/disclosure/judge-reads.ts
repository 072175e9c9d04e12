import { type CallTerms, type Consent, type ConsentUse, type HeldConsents, type JudgedUses, judgeUses, type UseWish } from '#consents';
import type { RatingClaim } from '#contract';
import { encodeBase64Url, type JsonObject, utf8 } from '#evidence';
import { formatId, invariant, Refusal } from '#kernel';
import { type Clerk, pairwiseName } from '../notary.js';
import { frozenRating, type ThresholdGrounds } from './frozen-rating.js';
import { claimsOf, type DisclosedContent, isThreshold, type KnownRating } from './rating.js';
import { repeatRead } from './repeat-read.js';
import type { AnswerPair, Disclosure, EarlierRead, KeptAnswer } from './store.js';
import { giveAnswer } from './threshold-answer.js';

/** One read that a participant asks for. */
export interface ReadRequest extends UseWish {
  /** A consent for one read needs one: with it a lost reply costs nothing. */
  readonly key?: string | undefined;
  /** The participant's own public key, for a credential to be bound to. */
  readonly holderKey: JsonObject;
}

/** What became of a request before it was judged: it is new, a repetition, or refused. */
export type Sorted = { readonly fresh: ReadRequest } | { readonly earlier: Disclosure } | Refusal;

/** A use that is allowed, with what it tells. */
export interface AllowedRead {
  readonly use: ConsentUse;
  readonly request: ReadRequest;
  readonly known: KnownRating;
  readonly content: DisclosedContent;
}

export interface JudgedReads extends Omit<JudgedUses, 'answers'> {
  /** One per fresh request, in order. */
  readonly answers: readonly (AllowedRead | Refusal)[];
  /** The answers to thresholds that stand afterwards, where one was given. */
  readonly given: readonly KeptAnswer[];
}

export interface Grounds {
  readonly held: HeldConsents;
  readonly terms: CallTerms;
  readonly clerk: Clerk;
  /** By subject. */
  readonly ratings: ReadonlyMap<string, KnownRating>;
  /** By consent: what its threshold is answered by. */
  readonly thresholds: ReadonlyMap<string, ThresholdGrounds>;
  readonly answers: readonly KeptAnswer[];
}

/** SHA-256 of what is asked, base64url: the same key may only ever ask the same. */
export function digestOf({ ref, claims, purpose, fetchType, dataLifeSeconds }: ReadRequest, clerk: Clerk): string {
  const asked = [formatId('lnk', ref), claims ?? null, purpose ?? null, fetchType ?? null, dataLifeSeconds ?? null];
  return encodeBase64Url(clerk.sha256(utf8.encode(JSON.stringify(asked))));
}

/** Whether the consent is between this participant and this subject; whatever else there is, is none to it. */
export function isBetween(consent: Consent | undefined, { participant, ref }: ReadRequest): consent is Consent {
  return consent?.participant === participant && consent.link.uuid === ref.uuid && consent.link.shard === ref.shard;
}

/** Tells repetitions of earlier reads from new ones. */
export function sortRead(
  request: ReadRequest,
  consent: Consent | undefined,
  earlier: EarlierRead | undefined,
  at: Date,
  clerk: Clerk,
): Sorted {
  if (!earlier || !isBetween(consent, request)) return { fresh: request };
  try {
    return { earlier: repeatRead(earlier, digestOf(request, clerk), consent, at) };
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** Judges new reads one after the other, each with all that the ones before it have used up and told. */
export function judgeReads(fresh: readonly ReadRequest[], grounds: Grounds): JudgedReads {
  const telling = new Telling(grounds);
  const judged = judgeUses(fresh, grounds.held, grounds.terms, (use, request) => telling.tell(use, request));
  const answers = judged.answers.map((use, i) => (use instanceof Refusal ? use : telling.allowedRead(use, fresh[i]!)));
  return { ...judged, answers, given: telling.given() };
}

/** What the allowed uses of one transaction tell, and the answers to thresholds that stand afterwards. */
class Telling {
  private readonly contents = new Map<ConsentUse, DisclosedContent>();
  /** By subject and participant. */
  private readonly standing: Map<string, KeptAnswer>;
  private readonly changed = new Set<string>();

  constructor(private readonly grounds: Grounds) {
    this.standing = new Map(grounds.answers.map((one) => [pairName(one), one]));
  }

  /** Refuses 400 `idempotency.key_missing`, and what `giveAnswer` refuses. */
  tell(use: ConsentUse, { key }: ReadRequest): void {
    if (use.consent.terms.fetch.type === 'ONETIME') needKey(key);
    const { scope } = use;
    this.contents.set(use, isThreshold(scope) ? this.answer(use, scope.threshold) : this.claims(use, scope.claims));
  }

  allowedRead(use: ConsentUse, request: ReadRequest): AllowedRead {
    const content = this.contents.get(use);
    invariant(content, 'what a use tells was settled when it was allowed');
    return { use, request, known: this.known(use), content };
  }

  /** Only those that were given now. */
  given(): KeptAnswer[] {
    return [...this.changed].map((name) => this.standing.get(name)!);
  }

  private claims(use: ConsentUse, claims: readonly RatingClaim[]): DisclosedContent {
    const { link } = use.consent;
    return { claims: claimsOf(this.known(use), claims, use.at, ({ id }) => pairwiseName(this.grounds.clerk, id, link.uuid)) };
  }

  private answer(use: ConsentUse, threshold: { readonly atLeast: number }): DisclosedContent {
    const { subject, participant, id } = use.consent;
    const grounds = this.grounds.thresholds.get(id.uuid);
    invariant(grounds, 'a consent with a threshold has what it is answered by');
    const pair: AnswerPair = { subject, participant };
    const before = this.standing.get(pairName(pair))?.given;
    const { answer, binds } = giveAnswer(before, threshold, use, frozenRating(participant, grounds, use.at));
    if (binds) {
      this.standing.set(pairName(pair), { ...pair, given: binds });
      this.changed.add(pairName(pair));
    }
    return { atLeast: threshold.atLeast, answer };
  }

  private known({ consent: { subject } }: ConsentUse): KnownRating {
    const known = this.grounds.ratings.get(subject.uuid);
    invariant(known, 'a subject that somebody consented for has a standing');
    return known;
  }
}

/** Refuses 400 `idempotency.key_missing`. */
function needKey(key: string | undefined): void {
  if (key !== undefined) return;
  const detail = 'a consent for one read needs an Idempotency-Key: with it a lost reply costs nothing';
  throw new Refusal('malformed', 'idempotency.key_missing', detail, { field: 'Idempotency-Key' });
}

const pairName = ({ subject, participant }: AnswerPair): string => `${subject.uuid} ${participant}`;

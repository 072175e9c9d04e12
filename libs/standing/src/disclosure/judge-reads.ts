import { type CallTerms, type Consent, type ConsentUse, type HeldConsents, type JudgedUses, judgeUses, type UseWish } from '#consents';
import { encodeBase64Url, type JsonObject, utf8 } from '#evidence';
import { formatId, invariant, Refusal, type ShardedId } from '#kernel';
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
export function judgeReads(fresh: readonly ReadRequest[], { held, terms, clerk, ratings, thresholds, answers }: Grounds): JudgedReads {
  const given = new Map(answers.map((one) => [pairName(one), one]));
  const told = new Set<string>();
  const contents = new Map<ConsentUse, DisclosedContent>();
  const knownOf = (subject: ShardedId): KnownRating => {
    const known = ratings.get(subject.uuid);
    invariant(known, 'a subject that somebody consented for has a standing');
    return known;
  };
  const allow = (use: ConsentUse, wish: UseWish) => {
    const { consent, scope, at } = use;
    const known = knownOf(consent.subject);
    if (consent.terms.fetch.type === 'ONETIME') needKey((wish as ReadRequest).key);
    if (isThreshold(scope)) {
      const pair: AnswerPair = { subject: consent.subject, participant: consent.participant };
      const grounds = thresholds.get(consent.id.uuid);
      invariant(grounds, 'a consent with a threshold has what it is answered by');
      const { answer, binds } = giveAnswer(
        given.get(pairName(pair))?.given,
        scope.threshold,
        use,
        frozenRating(consent.participant, grounds, at),
      );
      if (binds) {
        given.set(pairName(pair), { ...pair, given: binds });
        told.add(pairName(pair));
      }
      contents.set(use, { atLeast: scope.threshold.atLeast, answer });
    } else {
      contents.set(use, { claims: claimsOf(known, scope.claims, at, ({ id }) => pairwiseName(clerk, id, consent.link.uuid)) });
    }
  };
  const judged = judgeUses(fresh, held, terms, allow);
  return {
    ...judged,
    answers: judged.answers.map((use, i) =>
      use instanceof Refusal ? use : { use, request: fresh[i]!, known: knownOf(use.consent.subject), content: contents.get(use)! },
    ),
    given: [...told].map((name) => given.get(name)!),
  };
}

function needKey(key: string | undefined): void {
  if (key !== undefined) return;
  throw new Refusal(
    'malformed',
    'idempotency.key_missing',
    'a consent for one read needs an Idempotency-Key: with it a lost reply costs nothing',
    {
      field: 'Idempotency-Key',
    },
  );
}

const pairName = ({ subject, participant }: AnswerPair): string => `${subject.uuid} ${participant}`;

import type { CallTerms, HeldConsents } from '#consents';
import type { ThresholdAnswer } from '#contract';
import { Batcher, formatId, invariant, Refusal, type Shard, type ShardedId } from '#kernel';
import type { Notary } from '../notary.js';
import { ratingCredential } from './credential.js';
import { digestOf, isBetween, judgeReads, type ReadRequest, sortRead } from './judge-reads.js';
import { isThreshold } from './rating.js';
import { keyReused } from './repeat-read.js';
import { saveReads } from './save-reads.js';
import type { Disclosure, DisclosureBooks, DisclosureStore, KnownForRead } from './store.js';

/** A credential, or the answer to a threshold and nothing more. */
export type RatingAnswer = ({ readonly credential: string } | { readonly answer: ThresholdAnswer }) & {
  /** The content of an earlier read with the same key: nothing was counted. */
  readonly repeated: boolean;
};

interface Told {
  readonly disclosure: Disclosure;
  readonly repeated: boolean;
}

/** Reads that arrive together are judged and saved in one transaction: alone each costs a commit. */
const LIMITS = { itemsMax: 128, inFlightMax: 2, queueItemsMax: 2_000, waitMsMax: 2_000 };

/** Ratings, read under consents (CONTRACT.md §3, §4): what is told is saved as a use and a fact before anybody is told. */
export class ReadRatings {
  private readonly batcher: Batcher<ReadRequest, Told | Refusal>;

  constructor(
    private readonly store: DisclosureStore,
    private readonly secrets: () => Promise<ReadonlyMap<Shard, string>>,
    private readonly notary: Notary,
    private readonly terms: CallTerms,
  ) {
    const send = (requests: readonly ReadRequest[]) => this.store.transaction((books) => this.carry(books, requests));
    // Whoever repeats with its key learns what became of a lost reply; without one no read can be told from another.
    this.batcher = new Batcher({ send, lookUp: (requests) => Promise.resolve(requests.map(() => undefined)) }, LIMITS);
  }

  /**
   * One read. Refuses what `useConsent`, `giveAnswer` and `repeatRead` refuse, 400 `idempotency.key_missing` where a consent for one read comes
   * without a key, 503 `overloaded` and `outcome.unknown`.
   */
  async read(request: ReadRequest): Promise<RatingAnswer> {
    const secrets = await this.secrets();
    const told = await this.batcher.submit(request);
    if (told instanceof Refusal) throw told;
    const { disclosure, repeated } = told;
    if ('answer' in disclosure.content) return { answer: disclosure.content.answer, repeated };
    const secret = secrets.get(disclosure.link.shard);
    invariant(secret, 'every shard has a secret for its status lists');
    return { credential: ratingCredential(disclosure, secret, this.notary), repeated };
  }

  private async carry(books: DisclosureBooks, requests: readonly ReadRequest[]): Promise<(Told | Refusal)[]> {
    const all = await books.consentLedger.hold(requests.map(({ consent }) => consent));
    const known = await books.disclosures.known(requests);
    const held = { ...all, consents: all.consents.map((one, i) => (known[i]?.linkEnded ? undefined : one)) };
    const sorted = requests.map((request, i) => sortRead(request, held.consents[i]?.consent, known[i]?.earlier, held.at, this.notary));
    // The same key twice in one batch is one read: whoever comes second gets what the first gets.
    const fresh = [...new Map(sorted.flatMap((one) => ('fresh' in one ? [[nameOf(one.fresh), one.fresh] as const] : []))).values()];
    const judged = await this.judge(books, fresh, held, new Map(requests.map((request, i) => [request, known[i]])));
    const outcomes = new Map(fresh.map((request, i) => [nameOf(request), judged[i]!]));
    const seen = new Set<unknown>();
    return sorted.map((one) => {
      if (one instanceof Refusal) return one;
      if ('earlier' in one) return { disclosure: one.earlier, repeated: true };
      const name = nameOf(one.fresh);
      const outcome = outcomes.get(name)!;
      if (outcome instanceof Refusal) return outcome;
      if (outcome.digest !== digestOf(one.fresh, this.notary)) return keyReused();
      return { disclosure: outcome, repeated: seen.size === seen.add(name).size };
    });
  }

  private async judge(
    books: DisclosureBooks,
    fresh: readonly ReadRequest[],
    { at, consents }: HeldConsents,
    known: ReadonlyMap<ReadRequest, KnownForRead | undefined>,
  ): Promise<(Disclosure | Refusal)[]> {
    const byId = new Map(consents.flatMap((one) => (one ? [[formatId('cns', one.consent.id), one]] : [])));
    const held = { at, consents: fresh.map(({ consent }) => byId.get(formatId('cns', consent))) };
    const between = held.consents.flatMap((one, i) => (isBetween(one?.consent, fresh[i]!) ? [{ ...one!, request: fresh[i]! }] : []));
    const pairs = between.flatMap(({ consent }) => (isThreshold(consent.terms.scope) ? [consent] : []));
    const answers = pairs.length === 0 ? [] : await books.disclosures.holdAnswers(pairs);
    const ratings = new Map(between.map(({ consent, request }) => [consent.subject.uuid, known.get(request)!.rating]));
    const thresholds = new Map(
      between.flatMap(({ consent, request }) => {
        const { threshold } = known.get(request)!;
        return threshold ? [[consent.id.uuid, threshold] as const] : [];
      }),
    );
    const grounds = { held, terms: this.terms, clerk: this.notary, ratings, thresholds, answers };
    return await saveReads(books, judgeReads(fresh, grounds), this.notary);
  }
}

/** A read with a key is known by it; one without is like no other. */
function nameOf(read: { readonly consent: ShardedId; readonly key?: string | undefined }): unknown {
  return read.key === undefined ? read : `${formatId('cns', read.consent)} ${read.key}`;
}

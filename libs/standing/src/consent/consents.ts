import {
  changeConsent,
  type Consent,
  type ConsentAction,
  type ConsentChange,
  type ConsentKeyClaim,
  type ConsentReader,
  isLive,
  type Link,
  requestConsent,
  stateAt,
  unknownLink,
} from '#consents';
import type { WireConsentRequest } from '#contract';
import { canonicalBytes, encodeBase64Url } from '#evidence';
import { type Clock, invariant, parseId, Refusal, type ShardedId } from '#kernel';
import type { Clerk } from '../notary.js';
import type { Books, Exchange } from '../store.js';
import { saveConsentChanges } from './tell-consent.js';

const expiredPerRunMax = 500;

/** On whose behalf a consent is changed. */
export type ConsentParty =
  { readonly subject: ShardedId; /** The service it acts through. */ readonly via: string } | { readonly participant: string };

/** Consents from request to end (CONTRACT.md §4). Every call may be repeated; each is one transaction. */
export class Consents {
  constructor(
    private readonly exchange: Exchange,
    private readonly clerk: Clerk,
    private readonly clock: Clock,
  ) {}

  /**
   * A participant asks. The same key again answers the first consent. Refuses 422 `idempotency.key_reused`, 404 `link.unknown`, 409
   * `consent.too_many`, 422 `consent.terms`.
   */
  async request(participant: string, key: string, wish: WireConsentRequest): Promise<{ consent: Consent; repeated: boolean }> {
    const ref = parseId('lnk', wish.sub);
    const digest = encodeBase64Url(this.clerk.sha256(canonicalBytes(wish)));
    return await this.exchange.transaction(async (books) => {
      const at = this.clock.now();
      const claim = { participant, key, digest, consent: { shard: ref.shard, uuid: this.clerk.uuid(at) } };
      const first = await books.consentLedger.claimKey(claim);
      if (first) return { consent: await firstConsent(books, first, digest), repeated: true };
      const link = await holdLink(books, ref, participant);
      const live = await books.consentLedger.liveOfLink(ref);
      const consent = requestConsent(link, live.length, wish, claim.consent.uuid, at);
      await saveConsentChanges(books, [{ consent, happened: 'consent.requested' }], 'gateway', this.clerk);
      return { consent, repeated: false };
    });
  }

  /** Refuses 404 `consent.unknown`, also for another party's; 409 `consent.state`, 422 `consent.wider`. */
  async act(id: ShardedId, action: ConsentAction, party: ConsentParty): Promise<{ consent: Consent; repeated: boolean }> {
    return await this.exchange.transaction(async (books) => {
      const { at, consents } = await books.consentLedger.hold([id]);
      const consent = consents[0]?.consent;
      if (!consent || !isOf(consent, party)) throw unknownConsent();
      const change = changeConsent(consent, action, at);
      if (!change) return { consent, repeated: true };
      await saveConsentChanges(books, [change], 'via' in party ? party.via : 'gateway', this.clerk);
      return { consent: change.consent, repeated: false };
    });
  }

  /** Writes what time has done already: no read waits for it. A sweep calls it; answers how many it wrote. */
  async expire(reader: Pick<ConsentReader, 'overdue'>): Promise<number> {
    const overdue = await reader.overdue(expiredPerRunMax);
    if (overdue.length === 0) return 0;
    return await this.exchange.transaction(async (books) => {
      const { at, consents } = await books.consentLedger.hold(overdue);
      // Another process may have been here between the question and the hold.
      const late = consents.flatMap((held) =>
        held && isLive(held.consent) && stateAt(held.consent, at) === 'EXPIRED' ? [held.consent] : [],
      );
      const changes = late.map((consent) => changed(consent, { kind: 'EXPIRE' }, at));
      await saveConsentChanges(books, changes, 'time', this.clerk);
      return changes.length;
    });
  }

  /** Ends what an ended link has left: reads are refused already. A sweep calls it; answers how many it wrote. */
  async endOrphans(reader: Pick<ConsentReader, 'orphaned'>): Promise<number> {
    const orphaned = await reader.orphaned(expiredPerRunMax);
    if (orphaned.length === 0) return 0;
    return await this.exchange.transaction(async (books) => {
      const changes = await endHeld(books, orphaned);
      await saveConsentChanges(books, changes, 'link.ended', this.clerk);
      return changes.length;
    });
  }
}

/** What ending a link does to its consents. The subject is held, so none is added meanwhile. */
export async function endConsents(books: Books, link: ShardedId): Promise<ConsentChange[]> {
  return await endHeld(books, await books.consentLedger.liveOfLink(link));
}

async function endHeld({ consentLedger }: Books, ids: readonly ShardedId[]): Promise<ConsentChange[]> {
  if (ids.length === 0) return [];
  const { at, consents } = await consentLedger.hold(ids);
  return consents.flatMap((held) => {
    // One may have been used up or revoked between the list and the hold.
    if (!held || !isLive(held.consent)) return [];
    return [changed(held.consent, { kind: stateAt(held.consent, at) === 'EXPIRED' ? 'EXPIRE' : 'LINK_ENDED' }, at)];
  });
}

/** Another party's consent is as unknown as one that never was. */
export function unknownConsent(): Refusal {
  return new Refusal('not_found', 'consent.unknown', 'there is no consent of this id here');
}

function changed(consent: Consent, action: ConsentAction, at: Date): ConsentChange {
  const change = changeConsent(consent, action, at);
  invariant(change, 'a live consent can be ended');
  return change;
}

function isOf(consent: Consent, party: ConsentParty): boolean {
  return 'participant' in party ? consent.participant === party.participant : consent.subject.uuid === party.subject.uuid;
}

async function firstConsent(books: Books, first: ConsentKeyClaim, digest: string): Promise<Consent> {
  if (first.digest !== digest) {
    throw new Refusal('unprocessable', 'idempotency.key_reused', 'this Idempotency-Key came with another request before');
  }
  const { consents } = await books.consentLedger.hold([first.consent]);
  invariant(consents[0], 'a key that is taken has its consent');
  return consents[0].consent;
}

async function holdLink({ consents }: Books, ref: ShardedId, participant: string): Promise<Link> {
  const subject = await consents.holdSubjectOf(ref);
  const link = subject && (await consents.linksOf(subject.id)).find((one) => one.ref.uuid === ref.uuid);
  if (link?.participant === participant) return link;
  throw unknownLink();
}

import { createLink, endLink, type Link, type LinkWish, registerSubject, type Subject } from '#consents';
import type { SubjectKind } from '#contract';
import { type Clock, Refusal, type ShardedId } from '#kernel';
import { SCORECARD_2026_1 } from '#scoring';
import { type Happening, placeEvents } from './event.js';
import { commitToJson, type Clerk } from './notary.js';
import { firstStanding } from './rescore.js';
import { contentOf } from './save-change.js';
import { endConsents } from './consent/consents.js';
import { saveConsentChanges } from './consent/tell-consent.js';
import type { Books, Exchange } from './store.js';

export interface Registration {
  readonly caller: string;
  /** The caller's Idempotency-Key. */
  readonly key: string;
  readonly kind: SubjectKind;
}

/** Registers subjects with their first standing, links them to participants and ends links. Every call may be repeated. */
export class Subjects {
  constructor(
    private readonly exchange: Exchange,
    private readonly clerk: Clerk,
    private readonly clock: Clock,
  ) {}

  /** The same key again answers the first subject. Refuses 422 `idempotency.key_reused` where it came with another kind. */
  async register({ caller, key, kind }: Registration): Promise<{ id: ShardedId; repeated: boolean }> {
    const at = this.clock.now();
    return this.exchange.transaction(async (books) => {
      const { subject, facts } = registerSubject(this.clerk.uuid(at), kind, at);
      const first = await books.consents.claimRequest({ caller, key, kind, subject: subject.id }, at);
      if (first && first.kind !== kind) {
        throw new Refusal('unprocessable', 'idempotency.key_reused', 'this Idempotency-Key came with another request before');
      }
      if (first) return { id: first.subject, repeated: true };
      const standing = firstStanding(subject.id, kind, SCORECARD_2026_1, at);
      const content = contentOf(standing);
      const { salt, commitment } = commitToJson(this.clerk, content);
      await books.consents.addSubject(subject);
      const body = { version: '1', scorecard: standing.score.version, commitment };
      const begun = { shard: subject.id.shard, kind: 'standing.changed', subject: subject.id.uuid, body };
      const positions = await books.facts.append([...facts, begun]);
      await books.standings.add(standing, { subject: subject.id, version: 1n, content, salt, position: positions.at(-1)! });
      return { id: subject.id, repeated: false };
    });
  }

  /** Links a subject to a participant, which hears of it. Refuses 404 `subject.unknown`, 409 `link.exists`. */
  async link(subject: ShardedId, wish: LinkWish): Promise<{ link: Link; repeated: boolean }> {
    const at = this.clock.now();
    return this.exchange.transaction(async (books) => {
      const { id } = await hold(books, subject);
      const { link, fact } = createLink(await books.consents.linksOf(id), id, wish, this.clerk.uuid(at), at);
      if (!fact) return { link, repeated: true };
      await books.consents.addLink(link);
      const { customerReference } = wish;
      await this.tell(books, {
        fact,
        notices: [noticeOf(link, 'link.created', customerReference === undefined ? {} : { customerReference })],
      });
      return { link, repeated: false };
    });
  }

  /** Ends a link and revokes its consents, and its participant hears of it. Refuses 404 `subject.unknown`, `link.unknown`. */
  async endLink(subject: ShardedId, ref: ShardedId): Promise<Link> {
    const at = this.clock.now();
    return this.exchange.transaction(async (books) => {
      const { id } = await hold(books, subject);
      const known = (await books.consents.linksOf(id)).find((link) => link.ref.uuid === ref.uuid);
      if (!known) throw new Refusal('not_found', 'link.unknown', 'the subject has no link of this reference');
      const { link, fact } = endLink(known, at);
      if (!fact) return link;
      await books.consents.saveEnd(link);
      const ended = { fact, notices: [noticeOf(link, 'link.ended', {})] };
      await saveConsentChanges(books, await endConsents(books, ref), 'link.ended', this.clerk, [ended]);
      return link;
    });
  }

  private async tell(books: Books, happening: Happening): Promise<void> {
    const positions = await books.facts.append([happening.fact]);
    await books.standings.addEvents(placeEvents([happening], positions, (at) => this.clerk.uuid(at)));
  }
}

async function hold({ consents }: Books, id: ShardedId): Promise<Subject> {
  const subject = await consents.holdSubject(id);
  if (!subject) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
  return subject;
}

function noticeOf({ participant, ref }: Link, kind: 'link.created' | 'link.ended', body: Record<string, string>) {
  return { participant, ref, kind, body };
}

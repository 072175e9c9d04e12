import { type Fact, formatId, Refusal, type ShardedId } from '#kernel';

/** What lets one participant speak about one subject. `ref` is random: two participants cannot join their data by it (CONTRACT.md §3). */
export interface Link {
  readonly ref: ShardedId;
  readonly subject: ShardedId;
  readonly participant: string;
  readonly customerReference?: string | undefined;
  readonly createdAt: Date;
  /** Set once the link is ended; it never comes back. */
  readonly endedAt?: Date | undefined;
}

export interface LinkWish {
  readonly participant: string;
  readonly customerReference?: string | undefined;
}

export function isActive(link: Link): boolean {
  return link.endedAt === undefined;
}

/**
 * Links a subject to a participant, once: the same wish again is answered with the link that stands (`fact` is then undefined).
 * Refuses 409 `link.exists` where an active link carries another customer reference.
 */
export function createLink(
  known: readonly Link[],
  subject: ShardedId,
  wish: LinkWish,
  refUuid: string,
  at: Date,
): { link: Link; fact?: Fact } {
  const standing = known.find((link) => link.participant === wish.participant && isActive(link));
  if (standing && standing.customerReference !== wish.customerReference) {
    throw new Refusal('conflict', 'link.exists', `an active link to ${wish.participant} carries another customer reference; end it first`);
  }
  if (standing) return { link: standing };
  const link = { ref: { shard: subject.shard, uuid: refUuid }, subject, ...wish, createdAt: at };
  return { link, fact: linkFact('link.created', link) };
}

/** Ends a link; ending it again changes nothing. */
export function endLink(link: Link, at: Date): { link: Link; fact?: Fact } {
  if (!isActive(link)) return { link };
  const ended = { ...link, endedAt: at };
  return { link: ended, fact: linkFact('link.ended', ended) };
}

function linkFact(kind: 'link.created' | 'link.ended', link: Link): Fact {
  return {
    shard: link.ref.shard,
    kind,
    subject: link.subject.uuid,
    participant: link.participant,
    body: { link: formatId('lnk', link.ref) },
  };
}

import { EVENT_TOKEN_TYPE, type EventKind, eventUri } from '#contract';
import type { JsonObject } from '#evidence';
import { type Fact, type FactPosition, formatId, type ShardedId } from '#kernel';
import type { Notary } from './notary.js';

/** What one participant is to hear of one subject. */
export interface Notice {
  readonly participant: string;
  readonly ref: ShardedId;
  readonly kind: EventKind;
  readonly body: JsonObject;
  /** The restriction it tells of, for the platform's own lists; never told. */
  readonly restriction?: string;
}

/** The reference of events about the participant itself (its certificates, its keys) and no subject of its. */
export const ABOUT_ITSELF = '00000000-0000-0000-0000-000000000000';

export const isAboutItself = ({ uuid }: ShardedId): boolean => uuid === ABOUT_ITSELF;

/** Something that happened, and who is told of it. */
export interface Happening {
  readonly fact: Fact;
  readonly notices: readonly Notice[];
}

/** A notice with its place: `origin` is the fact it tells of, so a subject's events have the order of its facts. */
export interface StoredEvent extends Notice {
  readonly id: string;
  readonly origin: FactPosition;
}

/** The notices of what happened, placed: `positions` are those of the happenings' facts, in order. */
export function placeEvents(
  happenings: readonly Happening[],
  positions: readonly FactPosition[],
  newId: (at: Date) => string,
): StoredEvent[] {
  return happenings.flatMap(({ notices }, i) => {
    const origin = positions[i]!;
    return notices.map((notice) => ({ ...notice, id: newId(origin.at), origin }));
  });
}

/** A signed event token (RFC 8417; subject as RFC 9493). The same event gives the same token under the same key. */
export async function eventToken(event: StoredEvent, notary: Notary): Promise<string> {
  const claims = {
    iss: notary.issuer,
    aud: event.participant,
    jti: event.id,
    iat: Math.floor(event.origin.at.getTime() / 1_000),
    sub_id: { format: 'opaque', id: isAboutItself(event.ref) ? event.participant : formatId('lnk', event.ref) },
    events: { [eventUri(event.kind)]: event.body },
  };
  return await notary.signAside(EVENT_TOKEN_TYPE, claims, event.participant);
}

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

const hourMs = 3_600_000;

/**
 * How banks are told when something happened that others hear of too: the day. A time to the millisecond would be the same in the files of two
 * banks, and join them.
 */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** For what the form asks a time of (`iat`, and the first half of a UUIDv7). */
const hourOf = (time: Date): Date => new Date(Math.floor(time.getTime() / hourMs) * hourMs);

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
    return notices.map((notice) => ({ ...notice, id: newId(hourOf(origin.at)), origin }));
  });
}

/** A signed event token (RFC 8417; subject as RFC 9493), its `iat` to the hour where it is about a subject. The same event gives the same token under the same key. */
export async function eventToken(event: StoredEvent, notary: Notary): Promise<string> {
  const { at } = event.origin;
  const claims = {
    iss: notary.issuer,
    aud: event.participant,
    jti: event.id,
    ...(isAboutItself(event.ref)
      ? { iat: secondsOf(at), sub_id: { format: 'opaque', id: event.participant } }
      : { iat: secondsOf(hourOf(at)), sub_id: { format: 'opaque', id: formatId('lnk', event.ref) } }),
    events: { [eventUri(event.kind)]: event.body },
  };
  return await notary.signAside(EVENT_TOKEN_TYPE, claims, event.participant);
}

const secondsOf = (time: Date): number => Math.floor(time.getTime() / 1_000);

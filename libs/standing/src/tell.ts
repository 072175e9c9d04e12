import { isActive, type Link } from '#consents';
import type { JsonObject } from '#evidence';
import { formatId } from '#kernel';
import { dayOf, type Happening, type Notice } from './event.js';
import type { ImposedRestriction, LiftedRestriction } from './imposed.js';
import type { Commitment } from './notary.js';
import type { StandingChange } from './rescore.js';

/** What other banks may know of a reason: that there is one, not what a competitor wrote or the platform's staff noted. */
const REPORTED = { code: 'VIOLATION_REPORTED', text: 'a violation was reported' };
const DECIDED = { code: 'PLATFORM_DECISION', text: 'the platform imposed it' };

/** Why a restriction is in force, for a bank's eyes. */
export function toldReason({ cause }: Pick<ImposedRestriction, 'cause'>): typeof REPORTED {
  return cause ? REPORTED : DECIDED;
}

export interface Telling {
  readonly links: readonly Link[];
  /** Names a restriction for the holder of one link. */
  readonly nameFor: (restriction: ImposedRestriction, link: Link) => string;
  /** Participants who do not hear that the score changed, see `Occasion`. */
  readonly untold?: readonly string[] | undefined;
  /** Who of the platform's staff brought it about; told in the facts only. */
  readonly by?: string | undefined;
}

/** What happened to a standing, and which banks hear it. A change of score comes first, then restrictions lifted, then imposed. */
export function tellChange(change: StandingChange, commitment: Commitment, telling: Telling): Happening[] {
  if (!change.changed) return [];
  return [
    standingChanged(change, commitment, telling),
    ...change.lifted.map((one) => restrictionLifted(change, one, telling)),
    ...change.imposed.map((restriction) => restrictionImposed(change, restriction, telling)),
  ];
}

/** The links whose banks hear of what is imposed now: the active ones. */
export function toldOf(links: readonly Link[]): string[] {
  return links.filter(isActive).map(({ ref }) => ref.uuid);
}

/** The other banks hear that a violation was reported; neither by whom nor what for. */
export function tellViolation(links: readonly Link[], reportedBy: string, at: Date): Notice[] {
  const others = links.filter((link) => isActive(link) && link.participant !== reportedBy);
  return others.map((link) => notice(link, 'violation.reported', { on: dayOf(at) }));
}

function standingChanged({ next, scoreChanged }: StandingChange, { commitment }: Commitment, { links, untold = [] }: Telling): Happening {
  const body = { version: next.version.toString(), scorecard: next.score.version, commitment };
  const told = scoreChanged ? links.filter((link) => isActive(link) && !untold.includes(link.participant)) : [];
  return {
    fact: { shard: next.subject.shard, kind: 'standing.changed', subject: next.subject.uuid, body },
    notices: told.map((link) => notice(link, 'rating.changed', { on: dayOf(next.updatedAt) })),
  };
}

function restrictionImposed({ next }: StandingChange, restriction: ImposedRestriction, { links, nameFor, by }: Telling): Happening {
  const { step, services, startsAt, endsAt, cause } = restriction;
  const told = (link: Link) => ({
    restriction: nameFor(restriction, link),
    step,
    services,
    reason: toldReason(restriction),
    since: dayOf(startsAt),
    ...(endsAt ? { until: dayOf(endsAt) } : {}),
    ...(cause && link.participant === cause.iss ? { record: cause.rootJti } : {}),
  });
  return {
    fact: restrictionFact('restriction.imposed', next, restriction, by && !cause ? { by } : {}),
    notices: toldLinks(restriction, links).map((link) => ({
      ...notice(link, 'restriction.imposed', told(link)),
      restriction: restriction.id,
    })),
  };
}

/** Every bank that heard of a restriction hears of its end, also when its link ended meanwhile (CONTRACT.md §6). */
function restrictionLifted({ next }: StandingChange, { restriction, why }: LiftedRestriction, { links, nameFor, by }: Telling): Happening {
  const told = (link: Link) => ({ restriction: nameFor(restriction, link), why, on: dayOf(next.updatedAt) });
  return {
    fact: restrictionFact('restriction.lifted', next, restriction, { why, ...(by ? { by } : {}) }),
    notices: toldLinks(restriction, links).map((link) => ({
      ...notice(link, 'restriction.lifted', told(link)),
      restriction: restriction.id,
    })),
  };
}

function toldLinks({ told }: ImposedRestriction, links: readonly Link[]): Link[] {
  return links.filter(({ ref }) => told.includes(ref.uuid));
}

function restrictionFact(
  kind: string,
  { subject, version }: StandingChange['next'],
  { id }: ImposedRestriction,
  more: JsonObject,
): Happening['fact'] {
  const body = { restriction: formatId('rst', { shard: subject.shard, uuid: id }), version: version.toString(), ...more };
  return { shard: subject.shard, kind, subject: subject.uuid, body };
}

function notice({ participant, ref }: Link, kind: Notice['kind'], body: JsonObject): Notice {
  return { participant, ref, kind, body };
}

import { isActive, type Link } from '#consents';
import type { JsonObject } from '#evidence';
import { formatId } from '#kernel';
import type { Happening, Notice } from './event.js';
import type { ImposedRestriction, LiftedWhy } from './ladder.js';
import type { Commitment } from './notary.js';
import type { StandingChange } from './rescore.js';

/** What other banks may know of a reason: that there is one, not what a competitor wrote. */
const TOLD_REASON = { code: 'VIOLATION_REPORTED', text: 'a violation was reported' };

export interface Telling {
  readonly links: readonly Link[];
  readonly at: Date;
  readonly why: LiftedWhy;
  /** Names a restriction for the holder of one link. */
  readonly nameFor: (restriction: ImposedRestriction, link: Link) => string;
}

/** What happened to a standing, and which banks hear it. A change of score comes first, then restrictions lifted, then imposed. */
export function tellChange(change: StandingChange, commitment: Commitment, telling: Telling): Happening[] {
  if (!change.changed) return [];
  return [
    standingChanged(change, commitment, telling),
    ...change.lifted.map((restriction) => restrictionLifted(change, restriction, telling)),
    ...change.imposed.map((restriction) => restrictionImposed(change, restriction, telling)),
  ];
}

function standingChanged({ next, scoreChanged }: StandingChange, { commitment }: Commitment, { links, at }: Telling): Happening {
  const body = { version: next.version.toString(), scorecard: next.score.version, commitment };
  const told = scoreChanged ? links.filter(isActive) : [];
  return {
    fact: { shard: next.subject.shard, kind: 'standing.changed', subject: next.subject.uuid, body },
    notices: told.map((link) => notice(link, 'rating.changed', { changedAt: at.toISOString() })),
  };
}

function restrictionImposed({ next }: StandingChange, restriction: ImposedRestriction, { links, nameFor }: Telling): Happening {
  const { step, services, startsAt, endsAt, cause } = restriction;
  const told = (link: Link) => ({
    restriction: nameFor(restriction, link),
    step,
    services,
    reason: TOLD_REASON,
    startsAt: startsAt.toISOString(),
    ...(endsAt ? { endsAt: endsAt.toISOString() } : {}),
    ...(link.participant === cause.iss ? { record: cause.rootJti } : {}),
  });
  return {
    fact: restrictionFact('restriction.imposed', next, restriction),
    notices: links.filter(isActive).map((link) => notice(link, 'restriction.imposed', told(link))),
  };
}

function restrictionLifted({ next }: StandingChange, restriction: ImposedRestriction, { links, at, why, nameFor }: Telling): Happening {
  const reason = restriction.endsAt && restriction.endsAt <= at ? 'ENDED' : why;
  const told = (link: Link) => ({ restriction: nameFor(restriction, link), why: reason, liftedAt: at.toISOString() });
  return {
    fact: restrictionFact('restriction.lifted', next, restriction),
    notices: links.filter((link) => wasTold(link, restriction)).map((link) => notice(link, 'restriction.lifted', told(link))),
  };
}

/** Every bank that heard of a restriction hears of its end, also when its link ended meanwhile (CONTRACT.md §6). */
function wasTold({ createdAt, endedAt }: Link, { startsAt }: ImposedRestriction): boolean {
  return createdAt <= startsAt && (endedAt === undefined || endedAt >= startsAt);
}

function restrictionFact(kind: string, { subject, version }: StandingChange['next'], { id }: ImposedRestriction): Happening['fact'] {
  const body = { restriction: formatId('rst', { shard: subject.shard, uuid: id }), version: version.toString() };
  return { shard: subject.shard, kind, subject: subject.uuid, body };
}

function notice({ participant, ref }: Link, kind: Notice['kind'], body: JsonObject): Notice {
  return { participant, ref, kind, body };
}

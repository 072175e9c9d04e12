import type { FactPosition, Facts } from '#kernel';
import { SCORECARD_2026_1 } from '#scoring';
import { type Happening, placeEvents, type StoredEvent } from './event.js';
import type { ImposedRestriction, LiftedWhy } from './imposed.js';
import type { Ladder } from './ladder.js';
import { type Commitment, commitToJson, type Clerk, pairwiseName } from './notary.js';
import { type Grounds, type KnownStanding, rescore, type StandingChange } from './rescore.js';
import type { Books, StandingVersion } from './store.js';
import { tellChange, toldOf } from './tell.js';

/** Why a standing is judged anew. */
export interface Occasion {
  readonly at: Date;
  /** Why a restriction is lifted whose violation is no longer in force. */
  readonly why: LiftedWhy;
  readonly ladder: Ladder;
  readonly cause?: StandingVersion['cause'];
  /** Participants who are not told that the score changed: it was their own doing. */
  readonly untold?: readonly string[];
  /** Who of the staff orders it. */
  readonly by?: string;
}

/** A judged change, ready to be saved: what happened first of all, then what follows from it. */
export interface Judgement {
  readonly change: StandingChange;
  readonly happenings: readonly Happening[];
  readonly content: object;
  readonly commitment: Commitment;
}

/** Judges anew and says who is told. */
export function judge(known: KnownStanding, grounds: Grounds, { at, why, ladder, untold, by }: Occasion, clerk: Clerk): Judgement {
  const judged = rescore(known, grounds, { scorecard: SCORECARD_2026_1, ladder, at, why, newId: () => clerk.uuid(at) });
  const change = withTold(judged, toldOf(grounds.links));
  const content = contentOf(change.next);
  const commitment = commitToJson(clerk, content);
  const nameFor: Parameters<typeof tellChange>[2]['nameFor'] = ({ id }, { ref }) => pairwiseName(clerk, id, ref.uuid);
  return { change, content, commitment, happenings: tellChange(change, commitment, { links: grounds.links, nameFor, untold, by }) };
}

/** Who is told of a restriction is kept with it: from then on neither a clock nor a link that ends can make anybody forgotten. */
function withTold(change: StandingChange, told: readonly string[]): StandingChange {
  const imposed = change.imposed.map((restriction) => ({ ...restriction, told }));
  const restrictions = change.next.restrictions.map((one) => imposed.find(({ id }) => id === one.id) ?? one);
  return { ...change, imposed, next: { ...change.next, restrictions } };
}

/** What a version consists of: explicit, so that the commitment can be checked years later. */
export function contentOf({ version, kind, score, factors, restrictions, disputes }: KnownStanding) {
  return {
    version: version.toString(),
    kind,
    score: score.value,
    scorecard: { version: score.version, hash: SCORECARD_2026_1.hash },
    factors,
    restrictions: restrictions.map(restrictionContent),
    ...(disputes.length > 0 ? { disputes: disputes.map(({ dispute, iss, rootJti }) => ({ dispute, iss, rootJti })) } : {}),
  };
}

function restrictionContent(restriction: ImposedRestriction) {
  const { id, step, services, limitPercent, limitMinor, currency, reason, startsAt, endsAt, appealUntil, evidence, ladder, rung } =
    restriction;
  return {
    ...{ id, step, services, reason, startsAt: startsAt.toISOString(), evidence, ladder },
    ...(limitPercent === undefined ? {} : { limitPercent }),
    ...(limitMinor === undefined ? {} : { limitMinor: limitMinor.toString(), currency }),
    ...(rung === undefined ? {} : { rung }),
    ...(endsAt ? { endsAt: endsAt.toISOString() } : {}),
    ...(appealUntil ? { appealUntil: appealUntil.toISOString() } : {}),
  };
}

/** Appends the facts, then saves what they explain and queues what is told. Answers the position of the first fact. */
export async function saveChange(
  books: Books,
  first: Happening,
  judgement: Judgement,
  occasion: Occasion,
  clerk: Clerk,
): Promise<FactPosition> {
  const { positions, saving } = await appendChange(books, first, judgement, occasion, clerk);
  await books.standings.save(saving);
  return positions[0];
}

/** What a judged standing leaves behind, all in one write. */
export interface StandingSaving {
  readonly change: StandingChange;
  /** Absent where nothing changed but the next moment to look. */
  readonly version?: StandingVersion;
  readonly events: readonly StoredEvent[];
}

/** Appends the facts and prepares what they explain. */
export async function appendChange(
  books: Books,
  first: Happening,
  judgement: Judgement,
  occasion: Occasion,
  clerk: Clerk,
): Promise<{ positions: readonly [FactPosition, ...FactPosition[]]; saving: StandingSaving }> {
  const positions = (await books.facts.append(factsOf(first, judgement))) as [FactPosition, ...FactPosition[]];
  return { positions, saving: placeChange(first, judgement, positions, occasion, clerk) };
}

/** The facts of a change, in order. */
export function factsOf(first: Happening, { happenings }: Judgement): Facts {
  return [first.fact, ...happenings.map(({ fact }) => fact)];
}

/** What the facts explain, at their places. */
export function placeChange(
  first: Happening,
  { change, content, commitment, happenings }: Judgement,
  positions: readonly FactPosition[],
  { cause }: Occasion,
  clerk: Clerk,
): StandingSaving {
  const events = placeEvents([first, ...happenings], positions, (at) => clerk.uuid(at));
  if (!change.changed) return { change, events };
  const { subject, version } = change.next;
  const kept = { subject, version, content, salt: commitment.salt, cause, position: positions[1]! };
  return { change, version: kept, events };
}

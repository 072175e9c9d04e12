import { SCORECARD_2026_1 } from '#scoring';
import { type Happening, placeEvents } from './event.js';
import type { LiftedWhy } from './ladder.js';
import { type Commitment, commitToJson, type Clerk, pairwiseName } from './notary.js';
import type { Grounds, KnownStanding, StandingChange } from './rescore.js';
import { rescore } from './rescore.js';
import type { Books, StandingVersion } from './store.js';
import { tellChange } from './tell.js';
import type { FactPosition } from '#kernel';

/** Why a standing is judged anew. */
export interface Occasion {
  readonly at: Date;
  readonly why: LiftedWhy;
  readonly cause?: StandingVersion['cause'];
}

/** A judged change, ready to be saved: what happened first of all, then what follows from it. */
export interface Judgement {
  readonly change: StandingChange;
  readonly happenings: readonly Happening[];
  readonly content: object;
  readonly commitment: Commitment;
}

/** Judges anew and says who is told. */
export function judge(known: KnownStanding, grounds: Grounds, { at, why }: Occasion, clerk: Clerk): Judgement {
  const change = rescore(known, grounds, SCORECARD_2026_1, at, () => clerk.uuid(at));
  const content = contentOf(change.next);
  const commitment = commitToJson(clerk, content);
  const nameFor: Parameters<typeof tellChange>[2]['nameFor'] = ({ id }, { ref }) => pairwiseName(clerk, id, ref.uuid);
  return { change, content, commitment, happenings: tellChange(change, commitment, { links: grounds.links, at, why, nameFor }) };
}

/** What a version consists of: explicit, so that the commitment can be checked years later. */
export function contentOf({ version, kind, score, factors, restrictions }: KnownStanding) {
  return {
    version: version.toString(),
    kind,
    score: score.value,
    scorecard: { version: score.version, hash: SCORECARD_2026_1.hash },
    factors,
    restrictions: restrictions.map(({ id, step, services, reason, startsAt, endsAt }) => ({
      id,
      step,
      services,
      reason,
      startsAt: startsAt.toISOString(),
      ...(endsAt ? { endsAt: endsAt.toISOString() } : {}),
    })),
  };
}

/** Appends the facts, then saves what they explain and queues what is told. Answers the position of the first fact. */
export async function saveChange(
  books: Books,
  first: Happening,
  { change, content, commitment, happenings }: Judgement,
  occasion: Occasion,
  clerk: Clerk,
): Promise<FactPosition> {
  const positions = await books.facts.append([first.fact, ...happenings.map(({ fact }) => fact)]);
  const [origin] = positions as [FactPosition, ...FactPosition[]];
  await books.standings.save(change, occasion.why, occasion.at);
  if (change.changed) {
    const { subject, version } = change.next;
    await books.standings.addVersion({ subject, version, content, salt: commitment.salt, cause: occasion.cause, position: positions[1]! });
  }
  await books.standings.addEvents(placeEvents([first, ...happenings], positions, (at) => clerk.uuid(at)));
  return origin;
}

import type { Link } from '#consents';
import type { SubjectKind } from '#contract';
import { SCORECARD_2026_1 } from '#scoring';
import { type Contributions, type OwnThen, withOwnThen } from '../contributions.js';
import { disputedScore } from '../dispute/disputed-record.js';
import type { ScoreForThreshold } from './rating.js';

/** What a threshold is answered by. */
export interface ThresholdGrounds extends Contributions {
  readonly kind: SubjectKind;
  readonly links: readonly Link[];
  /** What the recipient itself had furnished when the consent was granted to it; undefined: nothing that counts. */
  readonly own?: OwnThen | undefined;
}

/**
 * The score by which a threshold is answered: of everything in force at this moment, but of what the recipient itself furnished only as it counted
 * when its consent was granted. Nothing that the recipient does can move it, nor when it does it: so it is scored anew for each read, and not
 * taken from the standing, which is judged when a record comes.
 */
export function frozenRating(recipient: string, { kind, links, records, disputes, own }: ThresholdGrounds, at: Date): ScoreForThreshold {
  const known = withOwnThen(recipient, { records, disputes }, own ?? { at, records: [], disputes: [] }, at);
  const { value } = disputedScore({ records: known.records, links, kind, scorecard: SCORECARD_2026_1, at }, known.disputes);
  return { score: value, reported: known.records.some(({ validUntil }) => validUntil > at) };
}

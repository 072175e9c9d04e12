import type { Link } from '#consents';
import type { RecordInForce } from '#records';
import type { Scorecard } from '#scoring';
import { type DisputedRecord, disputedScore } from './dispute/disputed-record.js';
import type { KnownStanding } from './rescore.js';

/** Records in force, and which of them are disputed: what a score is made of. */
export interface Contributions {
  readonly records: readonly RecordInForce[];
  readonly disputes: readonly DisputedRecord[];
}

/** What one participant furnished, as it counted at a moment. */
export interface OwnThen extends Contributions {
  readonly at: Date;
}

/** A participant's own part of what is known. */
export function contributionsOf(participant: string, { records, disputes }: Contributions, at: Date): OwnThen {
  const isOwn = ({ iss }: { readonly iss: string }) => iss === participant;
  return { at, records: records.filter(isOwn), disputes: disputes.filter(isOwn) };
}

/** All that is known now, but what a participant itself furnished as it counted then. For that time stands still: it grows no older and never runs out. */
export function withOwnThen(participant: string, { records, disputes }: Contributions, own: OwnThen, now: Date): Contributions {
  const isOthers = ({ iss }: { readonly iss: string }) => iss !== participant;
  const since = now.getTime() - own.at.getTime();
  const later = (time: Date) => new Date(time.getTime() + since);
  const still = own.records.map((record) => ({ ...record, asOf: later(record.asOf), validUntil: later(record.validUntil) }));
  return { records: [...records.filter(isOthers), ...still], disputes: [...disputes.filter(isOthers), ...own.disputes] };
}

/** What a review finds beside the standing. */
export interface Reviewed {
  readonly records: readonly RecordInForce[];
  readonly links: readonly Link[];
  /** Whether a record was not there at the last judgement. */
  readonly isNew: (record: RecordInForce) => boolean;
}

/**
 * Furnishers of records that came or ran out since a standing was judged, for whom the score would be what it was had they none of these. They
 * are not told that it changed: a participant is not to learn from us what its own record did to the score.
 */
export function movedItThemselves(known: KnownStanding, { records, links, isNew }: Reviewed, scorecard: Scorecard, at: Date): string[] {
  const movers = new Set(records.filter((record) => isNew(record) || record.validUntil <= at).map(({ iss }) => iss));
  const { kind, disputes, updatedAt, score } = known;
  return [...movers].filter((iss) => {
    const own = contributionsOf(iss, { records: records.filter((record) => !isNew(record)), disputes }, updatedAt);
    const without = withOwnThen(iss, { records, disputes }, own, at);
    return disputedScore({ records: without.records, links, kind, scorecard, at }, without.disputes).value === score.value;
  });
}

import type { Dispute } from '#records';
import { SCORECARD_2026_1, scoreMax, scoreMin } from '#scoring';
import {
  climb,
  type DisputedRecord,
  disputedScore,
  findDisputed,
  type ImposedRestriction,
  isLaterOfItsCode,
  NO_ORDERS,
  type Restriction,
  type Standing,
} from '#standing';
import type { RecordedDecision } from '../history/recorded.js';
import { standingOf } from '../history/recorded.js';
import { disputesThen, type PastOfSubject, type PastRecord, recordsThen } from './past-of-subject.js';

/**
 * The standing that a decision would have been made on, had the disputed record been then what it is now: corrected, or not there. An open dispute
 * is asked as if the record were withdrawn; after VERIFIED nothing is another way. Pure; the past is not changed by it.
 */
export function correctStanding(recorded: RecordedDecision, past: PastOfSubject, dispute: Dispute): Standing {
  const { seq, at, shard, subject, standingVersion, details } = recorded;
  const standing = standingOf({ shard, uuid: subject }, standingVersion, details);
  const before = recordsThen(past, seq, at);
  const isOurs = ({ iss, jti }: PastRecord) => iss === dispute.record.iss && jti === dispute.record.jti;
  const ours = before.find(isOurs);
  if (!ours || dispute.outcome === 'VERIFIED') return standing;
  const corrected = correctionOf(past, dispute, ours);
  const after = before.flatMap((one) => (one === ours ? (corrected ?? []) : one));
  const disputes = disputesThen(past, seq);
  const undisputed = disputes.filter((one) => one.dispute !== dispute.id);
  const scoreOf = (records: readonly PastRecord[], disputed: readonly DisputedRecord[]) => {
    const links = past.links.filter(({ createdAt }) => createdAt <= at).map((link) => ({ ...link, endedAt: endedBy(link.endedAt, at) }));
    return disputedScore({ records, links, kind: past.kind, scorecard: SCORECARD_2026_1, at }, disputed);
  };
  // The recorded score is of the last judgement, a little earlier; what the record cost is the same.
  const [was, would] = [scoreOf(before, disputes), scoreOf(after, undisputed)];
  const value = Math.min(scoreMax, Math.max(scoreMin, standing.score.value + would.value - was.value));
  const flag = undisputed.length > 0 ? { disputed: true as const } : {};
  return {
    ...standing,
    score: { value, version: standing.score.version, ...flag },
    factors: would.value === was.value ? standing.factors : would.factors,
    restrictions: correctRestrictions(standing.restrictions, { past, ours, corrected, after, undisputed, at }),
  };
}

function endedBy(endedAt: Date | undefined, at: Date): Date | undefined {
  return endedAt && endedAt <= at ? endedAt : undefined;
}

/** What stands in its place now. */
function correctionOf({ records }: PastOfSubject, { answer, outcome }: Dispute, ours: PastRecord): PastRecord | undefined {
  if (outcome !== 'CORRECTED' || answer?.answer !== 'CORRECTED') return undefined;
  const found = records.find(({ iss, jti }) => iss === ours.iss && jti === answer.record);
  return found && { ...found, asOf: ours.asOf };
}

interface RestrictionScene {
  readonly past: PastOfSubject;
  readonly ours: PastRecord;
  readonly corrected: PastRecord | undefined;
  readonly after: readonly PastRecord[];
  readonly undisputed: readonly DisputedRecord[];
  readonly at: Date;
}

/**
 * Without what the violation cost, and what later ones of its code cost that may have climbed for it; with what the ladder makes of these and of
 * the corrected one.
 */
function correctRestrictions(restrictions: readonly Restriction[], scene: RestrictionScene): readonly Restriction[] {
  const { past, ours, corrected, after, undisputed, at } = scene;
  if (ours.body.kind !== 'violation') return restrictions;
  const shaken = [ours, ...after.filter((one) => isLaterOfItsCode(one, ours))];
  const isShaken = ({ iss, rootJti }: { iss: string; rootJti: string }) => shaken.some((one) => one.iss === iss && one.rootJti === rootJti);
  const kept = restrictions.filter(({ id }) => {
    const cause = past.causes.get(id);
    return cause === undefined || !isShaken(cause);
  });
  const steady = after.filter((one) => one !== corrected && !isShaken(one));
  const judged = steady.map(({ iss, rootJti, jti }) => ({ iss, rootJti, jti, counted: [] }));
  const violations = after.filter((one) => findDisputed(undisputed, one)?.restrictions !== 'SUSPEND');
  const bench = { ladder: past.ladder, at, why: 'CORRECTED' as const, newId: () => `corrected ${ours.jti}` };
  const imposed: readonly ImposedRestriction[] = climb({ restrictions: [], judged }, violations, NO_ORDERS, bench).imposed;
  return [...kept, ...imposed.map(shownOf)];
}

/** As a standing shows it. */
function shownOf({
  cause: _cause,
  evidence: _evidence,
  ladder: _ladder,
  rung: _rung,
  told: _told,
  ...shown
}: ImposedRestriction): Restriction {
  return shown;
}

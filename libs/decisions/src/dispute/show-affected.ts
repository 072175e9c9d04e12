import { formatId, formatMinor } from '#kernel';
import type { AffectedDecision, AnswerInShort, Redecided } from './redecide-affected.js';

/** How affected decisions are shown at every door. */
export function showAffected({
  shard,
  decision,
  at,
  caller,
  service,
  outcome,
  computed,
  standingVersion,
  policyVersion,
  details,
}: AffectedDecision) {
  const { amount, currency, mode } = details;
  return {
    id: formatId('dec', { shard, uuid: decision }),
    decidedAt: at.toISOString(),
    ...{ caller, service, mode, outcome, computedOutcome: computed },
    amount: { amount: formatMinor(BigInt(amount), currency), currency },
    standingVersion: standingVersion.toString(),
    policyVersion: policyVersion.toString(),
  };
}

export function showRedecided({ decision, was, would, isOther }: Redecided) {
  return { ...showAffected(decision), other: isOther, was: plain(was), ...(would ? { would: plain(would) } : {}) };
}

function plain({ outcome, computedOutcome, tier, discount, score }: AnswerInShort) {
  return { outcome, computedOutcome, tier, score, ...(discount ? { discount } : {}) };
}

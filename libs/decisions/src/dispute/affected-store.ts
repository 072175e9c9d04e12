import type { FactPosition, ShardedId } from '#kernel';
import type { Dispute } from '#records';
import type { PastOfSubject, Stretch } from './past-of-subject.js';
import type { AffectedDecision } from './redecide-affected.js';

/** Reads the past of a subject, and the decisions in it; keeps that it was decided again. */
export interface AffectedStore {
  pastOf(subject: ShardedId): Promise<PastOfSubject>;
  /** In the order of their numbers, those above `after`. */
  decisions(dispute: Dispute, stretches: readonly Stretch[], after: bigint, countMax: number): Promise<AffectedDecision[]>;
  /** Writes the fact of a re-evaluation; nothing else is changed by one. `digest`: SHA-256 (hex) of its report. */
  note(
    dispute: Dispute,
    run: { readonly decisions: number; readonly others: number; readonly by: string; readonly report: string },
  ): Promise<FactPosition>;
}

import { invariant, type ShardedId } from '#kernel';
import type { Policy } from '#policies';
import { type DisputeReader, disputeUnknown } from '#standing';
import type { AffectedStore } from './affected-store.js';
import { stretchesOf } from './past-of-subject.js';
import { type AffectedDecision, type Redecided, redecideAffected } from './redecide-affected.js';

/** Decisions in one answer; `next` leads on. */
const affectedPerPageMax = 200;

export interface AffectedPage<T> {
  readonly decisions: readonly T[];
  /** Ask with it for what comes after; absent on the last page. */
  readonly next?: bigint | undefined;
}

interface PolicyBook {
  /** Every version that ever decided. */
  decided(): Promise<ReadonlyMap<bigint, Policy>>;
}

/** The decisions that used a disputed record, and what they would be had it been right. An EVALUATE that ended in ALLOW left no row and is not among them. */
export class AffectedDecisions {
  constructor(
    private readonly disputes: Pick<DisputeReader, 'find'>,
    private readonly store: AffectedStore,
    private readonly policies: PolicyBook,
    private readonly reportDigest: (report: unknown) => string,
  ) {}

  /** Refuses 404 `dispute.unknown`. */
  async list(id: ShardedId, after = 0n): Promise<AffectedPage<AffectedDecision>> {
    const { decisions, next } = await this.page(id, after);
    return { decisions, next };
  }

  /** Decides them again and writes the fact that it was done; `by` asked for it. Refuses 404 `dispute.unknown`. */
  async redecide(id: ShardedId, by: string, after = 0n): Promise<AffectedPage<Redecided>> {
    const { dispute, past, decisions, next } = await this.page(id, after);
    const policies = await this.policies.decided();
    const redecided = decisions.map((decision) => {
      const policy = policies.get(decision.policyVersion);
      invariant(policy, 'a policy that decided is never removed');
      return redecideAffected(decision, past, dispute, policy);
    });
    const others = redecided.filter(({ isOther }) => isOther).length;
    const report = this.reportDigest(
      redecided.map(({ decision, was, would }) => ({ decision: decision.decision, was, would: would ?? null })),
    );
    await this.store.note(dispute, { decisions: redecided.length, others, by, report });
    return { decisions: redecided, next };
  }

  private async page(id: ShardedId, after: bigint) {
    const file = await this.disputes.find(id);
    if (!file) throw disputeUnknown();
    const { dispute } = file;
    const past = await this.store.pastOf(dispute.subject);
    const found = await this.store.decisions(dispute, stretchesOf(past, dispute), after, affectedPerPageMax + 1);
    const decisions = found.slice(0, affectedPerPageMax);
    return { dispute, past, decisions, next: found.length > affectedPerPageMax ? decisions.at(-1)!.seq : undefined };
  }
}

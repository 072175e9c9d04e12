import type { Outcome } from '#contract';
import type { Shard, ShardedId } from '#kernel';
import type { Restriction, Standing } from '#standing';
import type { DecisionRequest } from '../decision.js';
import { type DecisionDetails, UNTOLD_START } from '../details.js';
import type { Settlement } from '../reservation.js';

/** A decision as history keeps it: enough to take it again under any policy. */
export interface RecordedDecision {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: Date;
  /** UUID; its reservation, where it made one, bears the same. */
  readonly decision: string;
  /** UUID. */
  readonly subject: string;
  readonly outcome: Outcome;
  readonly computed: Outcome;
  readonly policyVersion: bigint;
  readonly standingVersion: bigint;
  /** Until when it held its amount; undefined: it held nothing. */
  readonly expiresAt: Date | undefined;
  readonly details: DecisionDetails;
  /** The ledger's counters after it, one for each cap of `details`. */
  readonly usage: string;
}

/**
 * What became of a hold. An allowance is a hold that is settled in parts: `split` gives it as many transactions, `part` takes one of them
 * out of the hold, `late` is spent after the hold was gone.
 */
export type StepKind = Settlement['kind'] | 'split' | 'part' | 'late';

/** A step that a reservation really took. `seq` is its fact's number, in one order with the decisions of the shard. */
export interface RecordedSettlement {
  readonly seq: bigint;
  readonly at: Date;
  /** Whose hold it was: the decision's UUID, or a part's own. */
  readonly decision: string;
  readonly kind: StepKind;
  /** What it confirmed, released, gave back or spent. */
  readonly minor: bigint;
  /** `split`: how many. */
  readonly transactions?: number | undefined;
  /** `part` and `late`: the UUID under which the part can be given back. */
  readonly part?: string | undefined;
  /** A step of a part: the decision of its allowance. */
  readonly allowance?: string | undefined;
}

/** The request as it was asked. */
export function requestOf(subject: ShardedId, details: DecisionDetails): DecisionRequest {
  const { amount, currency, service, mode, counterparty, channel, holdSeconds = 0, paymentReference } = details;
  return { subject, service, money: { minor: BigInt(amount), currency }, mode, counterparty, channel, holdSeconds, paymentReference };
}

/** The standing as it was then, as far as it bore on this request. */
export function standingOf(subject: ShardedId, version: bigint, details: DecisionDetails): Standing {
  const { kind = 'INDIVIDUAL', score, factors, restrictions } = details;
  if (restrictions.length === 0) return { subject, kind, version, score, factors, restrictions: [] };
  return { subject, kind, version, score, factors, restrictions: restrictions.map((one) => restrictionOf(one, details)) };
}

/** A restriction told is in force for this service; where it does not tell its words, they stand in the reason that it gave. */
function restrictionOf(
  { id, code, text, step, services = [], since, endsAt, cure, appealUntil, ...cut }: DecisionDetails['restrictions'][number],
  { reasons }: DecisionDetails,
): Restriction {
  const words = text ?? reasons.find(({ source }) => source === `restriction ${id}`)?.text.slice(`${code}: `.length) ?? '';
  const startsAt = since === undefined ? UNTOLD_START : new Date(since);
  return {
    ...{ id, step: step as Restriction['step'], services, reason: { code, text: words }, startsAt },
    ...(cut.limitPercent === undefined ? {} : { limitPercent: cut.limitPercent }),
    ...(cut.limitMinor === undefined ? {} : { limitMinor: BigInt(cut.limitMinor) }),
    ...(cut.currency === undefined ? {} : { currency: cut.currency }),
    ...(endsAt === undefined ? {} : { endsAt: new Date(endsAt) }),
    ...(cure === undefined ? {} : { cure }),
    ...(appealUntil === undefined ? {} : { appealUntil: new Date(appealUntil) }),
    ...(cut.disputed ? { disputed: true as const } : {}),
  };
}

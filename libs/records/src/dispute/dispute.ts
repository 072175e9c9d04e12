import type { DisputableKind, DisputeAnswerRequest, DisputeCode, DisputeState } from '#contract';
import { type Fact, formatFactId, formatId, type ShardedId } from '#kernel';

/** VERIFIED: the record counts again. CORRECTED, WITHDRAWN: by the furnisher. SILENT: it did not answer in time, so the record is removed. */
export type DisputeOutcome = 'VERIFIED' | 'CORRECTED' | 'WITHDRAWN' | 'SILENT';

export type DisputeAnswer = DisputeAnswerRequest;

/** The record that is disputed, by a name that corrections keep and by the place of its fact. */
export interface DisputedName {
  readonly iss: string;
  readonly jti: string;
  readonly rootJti: string;
  readonly kind: DisputableKind;
  /** The link it came on. */
  readonly ref: string;
  readonly factSeq: bigint;
}

/** How a disputed record counts while its dispute is open; kept with the dispute, whatever the policy says later. */
export interface DisputeTreatment {
  /** EXCLUDE: it does not count. CAP: without it the score may be `capPoints` higher than with it, and no more. KEEP: it counts, and is flagged. */
  readonly score: 'EXCLUDE' | 'CAP' | 'KEEP';
  readonly capPoints: number;
  /** What a disputed violation costs: it stays (KEEP) or is lifted until the dispute closes (SUSPEND). */
  readonly restrictions: 'KEEP' | 'SUSPEND';
}

/** Until when what has to happen (CONTRACT.md §3). */
export interface DisputeDeadlines {
  /** The furnisher is to have heard of it. */
  readonly noticeBy: Date;
  /** It is reminded. */
  readonly dueSoonAt: Date;
  /** It is to have answered. */
  readonly dueAt: Date;
}

export interface Dispute extends DisputeDeadlines {
  readonly id: string;
  readonly subject: ShardedId;
  readonly record: DisputedName;
  readonly openedBy: 'SUBJECT' | 'FURNISHER';
  /** The service or the participant that brought it, and the service's key: the same again is answered, not done twice. */
  readonly caller: string;
  /** A furnisher has none. */
  readonly key?: string | undefined;
  readonly code: DisputeCode;
  /** SHA-256 (hex) of what the subject said. */
  readonly statementDigest?: string | undefined;
  readonly treatment: DisputeTreatment;
  readonly openedAt: Date;
  /** The place of its own fact. */
  readonly openedSeq: bigint;
  readonly state: DisputeState;
  /** What the subject added: the digest, and when. */
  readonly added?: { readonly statementDigest: string; readonly at: Date } | undefined;
  readonly answer?: DisputeAnswer | undefined;
  readonly answeredAt?: Date | undefined;
  readonly outcome?: DisputeOutcome | undefined;
  readonly closedAt?: Date | undefined;
  readonly closedSeq?: bigint | undefined;
  /** Every recipient is to have heard of the result. */
  readonly resultBy?: Date | undefined;
  /** Clocks that have rung: each rings once. */
  readonly rung: readonly DisputeClock[];
}

/** In the order in which they come. */
export type DisputeClock = 'NOTICE' | 'DUE_SOON' | 'DUE' | 'RESULT';

/** The clock that rings next, and when. Undefined: none will. */
export function nextRing(dispute: Dispute): { readonly clock: DisputeClock; readonly at: Date } | undefined {
  const { state, rung, noticeBy, dueSoonAt, dueAt, resultBy } = dispute;
  const clocks =
    state === 'CLOSED'
      ? [{ clock: 'RESULT' as const, at: resultBy! }]
      : [
          { clock: 'NOTICE' as const, at: noticeBy },
          { clock: 'DUE_SOON' as const, at: dueSoonAt },
          { clock: 'DUE' as const, at: dueAt },
        ];
  const left = clocks.filter(({ clock }) => !rung.includes(clock)).sort((a, b) => a.at.getTime() - b.at.getTime());
  return left[0];
}

export const disputeId = ({ id, subject }: Pick<Dispute, 'id' | 'subject'>): string => formatId('dsp', { shard: subject.shard, uuid: id });

/** A fact names the dispute and the fact of its record; neither code nor words. */
export function disputeFact(kind: string, dispute: Omit<Dispute, 'openedSeq'>, more: Fact['body'] = {}): Fact {
  const { subject, record } = dispute;
  const body = { dispute: disputeId(dispute), record: formatFactId(subject.shard, record.factSeq), ...more };
  return { shard: subject.shard, kind, subject: subject.uuid, participant: record.iss, body };
}

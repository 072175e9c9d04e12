import type { Outcome } from '#contract';
import type { DecisionRow } from '#decisions';
import type { Shard } from '#kernel';

export const DECISION_COLUMNS =
  't.shard, t.seq, t.at, t.decision, t.subject, t.caller, t.key, t.digest, t.service, t.outcome, t.computed, t.policy_version, t.standing_version, t.expires_at, t.details, t.usage, t.commitment';

export interface DecisionSqlRow {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: Date;
  readonly decision: string;
  readonly subject: string;
  readonly caller: string;
  readonly key: string | null;
  readonly digest: Uint8Array;
  readonly service: string;
  readonly outcome: Outcome;
  readonly computed: Outcome;
  readonly policy_version: bigint;
  readonly standing_version: bigint;
  readonly expires_at: Date | null;
  readonly details: string;
  readonly usage: string;
  readonly commitment: Uint8Array;
}

/** A decision as its own room knows it, so that the room itself tells its answer and its fact. */
export function toDecisionRow(row: DecisionSqlRow): DecisionRow {
  return {
    decision: { shard: row.shard, uuid: row.decision },
    seq: row.seq,
    at: row.at,
    subject: { shard: row.shard, uuid: row.subject },
    caller: row.caller,
    key: row.key ?? undefined,
    digest: row.digest,
    service: row.service,
    outcome: row.outcome,
    computed: row.computed,
    policyVersion: row.policy_version,
    standingVersion: row.standing_version,
    expiresAt: row.expires_at ?? undefined,
    details: row.details,
    usage: row.usage,
    commitment: row.commitment,
  };
}

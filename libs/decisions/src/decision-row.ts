import type { DecisionAnswer } from '#contract';
import type { FactValue } from '#kernel';
import { keyReused } from './codes.js';
import { type DecisionRow, sameDigest } from './decision.js';
import { composeAnswer, type DecisionDetails } from './details.js';

export interface Decided {
  readonly answer: DecisionAnswer;
  /** The first answer to this key, given again. */
  readonly replayed: boolean;
}

/** The answer as it was given when the row was written. */
export function answerOf(row: DecisionRow): DecisionAnswer {
  return composeAnswer(JSON.parse(row.details) as DecisionDetails, row, row.decision.shard);
}

/** The first answer to a key. Refuses 422 `idempotency.key_reused` for another input. */
export function replayOf(row: DecisionRow, digest: Uint8Array): Decided {
  if (!sameDigest(row.digest, digest)) throw keyReused();
  return { answer: answerOf(row), replayed: true };
}

/**
 * A decision as the log's fact: random ids, versions, the outcome, and a commitment to all the rest
 * (SHA-256 of the salt's 16 bytes and `{"evaluation":<details>,"usage":"<usage>"}`, which is canonical JSON). Salt and details stay in the row.
 */
export function decisionFact(row: DecisionRow): {
  readonly shard: DecisionRow['decision']['shard'];
  readonly seq: bigint;
  readonly at: Date;
  readonly kind: 'decision.made';
  readonly subject: string;
  readonly body: { readonly [name: string]: FactValue };
} {
  const body = {
    decision: row.decision.uuid,
    caller: row.caller,
    service: row.service,
    outcome: row.outcome,
    computedOutcome: row.computed,
    policyVersion: row.policyVersion.toString(),
    standingVersion: row.standingVersion.toString(),
    ...(row.expiresAt === undefined ? {} : { reservedUntil: row.expiresAt.toISOString() }),
    commitment: hex(row.commitment),
  };
  return { shard: row.decision.shard, seq: row.seq, at: row.at, kind: 'decision.made', subject: row.subject.uuid, body };
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

import { type DecisionAnswer, parseStrictly } from '#contract';
import type { JsonObject } from '#evidence';
import { formatFactId, formatId, type ShardedId } from '#kernel';
import { z } from 'zod';
import { type CounterState, type DecisionRow, readUsage } from './decision.js';
import { composeAnswer, type DecisionDetails, reasonsOf } from './details.js';
import { hex } from './decision-row.js';

/** The `typ` of a decision receipt's header. */
export const DECISION_RECEIPT_TYP = 'decision-receipt+jwt';

/** A counter of a window: minor units, and transactions. */
export interface CounterSnapshot {
  readonly used: string;
  readonly reserved: string;
  readonly taken: number;
}

/** One cap of the evaluation, in its order: the counter as the decision found it and as it left it. */
export interface LimitSnapshot {
  readonly limit: string;
  readonly counter: string;
  readonly start: string;
  readonly before: CounterSnapshot;
  readonly after: CounterSnapshot;
  readonly exceeded: boolean;
}

/** What was decided, told from the evaluation and the counters alone: what a replay has to bring about again. */
export interface ToldDecision extends Pick<DecisionAnswer, 'outcome' | 'computedOutcome' | 'reasons' | 'discount' | 'reservation'> {
  /** The request as evaluated, score, restrictions in force, policy, and what it said before the counters were asked. */
  readonly evaluation: DecisionDetails;
  /** The ledger's text of the counters afterwards, as the commitment covers it. */
  readonly usage: string;
  readonly limits: readonly LimitSnapshot[];
}

/** A decision receipt's claims (CONTRACT.md §5). Digests are SHA-256 in hex. */
export interface ReceiptClaims extends ToldDecision {
  readonly iss: string;
  /** Seconds of `decidedAt`. */
  readonly iat: number;
  /** The decision's id. */
  readonly jti: string;
  /** The subject's id. */
  readonly sub: string;
  /** The log's fact of this decision, whose body holds the same commitment. */
  readonly fact: string;
  readonly caller: string;
  readonly decidedAt: string;
  /** Over `inputText` of the request. */
  readonly inputDigest: string;
  readonly standingVersion: string;
  /** A UUID: its 16 bytes go before the text of `committedText`. */
  readonly salt: string;
  readonly commitment: string;
}

/** The claims of a stored decision. The same row gives the same claims, always. */
export function receiptClaims(row: DecisionRow, issuer: string): ReceiptClaims {
  return {
    iss: issuer,
    iat: Math.floor(row.at.getTime() / 1000),
    jti: formatId('dec', row.decision),
    sub: formatId('sub', row.subject),
    fact: formatFactId(row.decision.shard, row.seq),
    caller: row.caller,
    decidedAt: row.at.toISOString(),
    inputDigest: hex(row.digest),
    standingVersion: row.standingVersion.toString(),
    ...tellDecision(JSON.parse(row.details) as DecisionDetails, row),
    salt: row.salt,
    commitment: hex(row.commitment),
  };
}

interface Recorded {
  readonly decision: ShardedId;
  readonly at: Date;
  readonly usage: string;
}

export function tellDecision(evaluation: DecisionDetails, recorded: Recorded): ToldDecision {
  const { outcome, computedOutcome, discount, reservation } = composeAnswer(evaluation, recorded, recorded.decision.shard);
  const counters = readUsage(recorded.usage);
  const takenMinor = reservation === undefined ? undefined : BigInt(evaluation.amount);
  const limits = counters.map((counter, i) => limitSnapshot(evaluation.caps[i]!, counter, takenMinor));
  return {
    evaluation,
    usage: recorded.usage,
    limits,
    outcome,
    computedOutcome,
    reasons: reasonsOf(evaluation, counters),
    discount,
    reservation,
  };
}

/** The row keeps the counters as they stood afterwards; before, they had what was taken less. */
function limitSnapshot(
  { limit, counter, start }: DecisionDetails['caps'][number],
  { usedMinor, reservedMinor, taken, broken }: CounterState,
  takenMinor: bigint | undefined,
): LimitSnapshot {
  const used = usedMinor.toString();
  const before = { used, reserved: (reservedMinor - (takenMinor ?? 0n)).toString(), taken: takenMinor === undefined ? taken : taken - 1 };
  return { limit, counter, start, before, after: { used, reserved: reservedMinor.toString(), taken }, exceeded: broken };
}

const text = z.string();
const digits = z.string().regex(/^[0-9]{1,19}$/);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const outcome = z.enum(['ALLOW', 'DENY', 'REVIEW']);
const reasons = z.array(z.looseObject({ code: text, text, source: text }));
const counter = z.looseObject({ used: digits, reserved: digits, taken: z.int().min(0) });

/** What a replay reads of the evaluation; the commitment covers all of it. */
const evaluation = z.looseObject({
  ...{ amount: digits, currency: text, service: text, mode: z.enum(['EVALUATE', 'RESERVE']), enforced: z.boolean(), outcome },
  ...{ counterparty: text.optional(), channel: text.optional(), paymentReference: text.optional(), holdSeconds: z.int().optional() },
  kind: z.enum(['INDIVIDUAL', 'MERCHANT']).optional(),
  factors: z.array(z.looseObject({ code: text, text })),
  policy: z.looseObject({ id: text, version: digits, hash: digest }),
  reasons,
  restrictions: z.array(
    z.looseObject({
      ...{ id: text, code: text, step: z.enum(['WARN', 'LIMIT_CUT', 'SERVICE_STOP', 'CLOSURE', 'BANK_NOTICE']) },
      ...{ limitPercent: z.int().optional(), limitMinor: digits.optional(), currency: text.optional(), services: z.array(text).optional() },
      ...{ since: z.iso.datetime().optional(), endsAt: z.iso.datetime().optional(), appealUntil: z.iso.datetime().optional() },
      ...{ text: text.optional(), cure: z.looseObject({ code: text, text }).optional() },
    }),
  ),
  score: z.looseObject({ value: z.int(), version: text }),
});

const receiptSchema = z.looseObject({
  ...{ iss: text, iat: z.int(), jti: text, sub: text, fact: text, caller: text, decidedAt: z.iso.datetime(), inputDigest: digest },
  ...{ standingVersion: digits, salt: z.uuid(), commitment: digest, usage: text, evaluation, outcome, computedOutcome: outcome, reasons },
  limits: z.array(z.looseObject({ limit: text, counter: text, start: z.iso.datetime(), before: counter, after: counter })),
});

/** Reads the claims of a receipt whose signature was verified. Refuses 400 `receipt.malformed` with the field. */
export function parseReceiptClaims(payload: JsonObject): ReceiptClaims {
  return parseStrictly(receiptSchema, payload, 'receipt.malformed') as unknown as ReceiptClaims;
}

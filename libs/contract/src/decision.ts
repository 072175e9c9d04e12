import { z } from 'zod';
import { parseStrictly } from './strict-parse.js';

/** The shapes at the decision door (CONTRACT.md §5). Unknown fields are refused; money is read by `parseMoney`. */

const paymentReferenceCharsMax = 35;
const holdSecondsMax = 2_592_000;
export const holdSecondsDefault = 900;
export const batchItemsMax = 100;

/** SWIFT's character set x without control characters: what every rail carries in EndToEndId unchanged. */
const PAYMENT_REFERENCE = /^[A-Za-z0-9/\-?:().,'+ ]{1,35}$/;
const PAYMENT_REFERENCE_WORDS = `must have 1 to ${paymentReferenceCharsMax} characters: letters, digits, spaces and /-?:().,'+`;
const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
const NAME_WORDS = 'must have 1 to 40 small letters, digits and hyphens, and begin with no hyphen';
const COUNTERPARTY = /^[\x21-\x7e]{1,64}$/;
const COUNTERPARTY_WORDS = 'must have 1 to 64 visible ASCII characters, no spaces';
const KEY = /^[\x21-\x7e]{8,64}$/;

export const wireMoneySchema = z.strictObject({ amount: z.string().max(32), currency: z.string().length(3) });

export const decisionRequestSchema = z.strictObject({
  subject: z.string().max(64).describe('sub_…'),
  service: z.string().regex(NAME, NAME_WORDS),
  amount: wireMoneySchema,
  mode: z.enum(['EVALUATE', 'RESERVE']),
  counterparty: z.string().regex(COUNTERPARTY, COUNTERPARTY_WORDS).optional(),
  channel: z.string().regex(NAME, NAME_WORDS).optional().describe('the participant whose statement will show the payment'),
  holdSeconds: z.int().min(1).max(holdSecondsMax).optional(),
  paymentReference: z
    .string()
    .regex(PAYMENT_REFERENCE, PAYMENT_REFERENCE_WORDS)
    .optional()
    .describe('becomes EndToEndId; unique per service'),
});

export const decisionBatchSchema = z.strictObject({
  items: z
    .array(decisionRequestSchema.extend({ key: z.string().regex(KEY).optional() }))
    .min(1)
    .max(batchItemsMax),
});

/** Confirm and refund: the whole, or the amount named. */
export const settlementRequestSchema = z.strictObject({ amount: wireMoneySchema.optional() });
export const releaseRequestSchema = z.strictObject({});

export type WireDecisionRequest = z.output<typeof decisionRequestSchema>;
export type WireDecisionItem = z.output<typeof decisionBatchSchema>['items'][number];
export type WireSettlementRequest = z.output<typeof settlementRequestSchema>;

export type Outcome = 'ALLOW' | 'DENY' | 'REVIEW';
export type DecisionMode = 'EVALUATE' | 'RESERVE';

export interface DecisionReason {
  readonly code: string;
  readonly text: string;
  /** Where it comes from, by kind and name: `limit checkout-day`, `service checkout`, `rule late`, `restriction rst_…`. */
  readonly source: string;
}

export interface DecisionLimit {
  readonly id: string;
  readonly window: string;
  readonly limit?: string | undefined;
  readonly used: string;
  readonly reserved: string;
  readonly available?: string | undefined;
  readonly count?: { readonly limit: number; readonly taken: number; readonly available: number } | undefined;
  /** When nothing that counts now will count any more; absent for a single transaction, a lifetime and open exposure. */
  readonly resetAt?: string | undefined;
}

export interface DecisionAnswer {
  /** Absent only for an EVALUATE that ends in ALLOW: nothing was taken, so nothing was recorded. */
  readonly decisionId?: string | undefined;
  readonly outcome: Outcome;
  readonly computedOutcome: Outcome;
  readonly reasons: readonly DecisionReason[];
  readonly tier: string;
  /** `disputed`: a record by which the subject stands is disputed; until that is settled it counts as the policy says. */
  readonly score: { readonly value: number; readonly version: string; readonly disputed?: true | undefined };
  readonly policy: { readonly id: string; readonly version: string; readonly hash: string };
  readonly limits: readonly DecisionLimit[];
  /** `rate`: in percent, where one percentage alone made it. `rule`: the rules that made it, joined by "+". */
  readonly discount?: { readonly rate?: string | undefined; readonly amount: string; readonly rule: string } | undefined;
  readonly restrictions: readonly {
    /** `rst_…`, as wherever restrictions are listed and appealed. */
    readonly id: string;
    readonly step: string;
    readonly code: string;
    readonly text?: string | undefined;
    /** Absent: all services. */
    readonly services?: readonly string[] | undefined;
    readonly since?: string | undefined;
    readonly endsAt?: string | undefined;
    /** What ends it before its term. */
    readonly cure?: { readonly code: string; readonly text: string } | undefined;
    readonly appealUntil?: string | undefined;
    /** The record that it comes from is disputed. */
    readonly disputed?: true | undefined;
    /** What a cut leaves of every limit; with `limitAmount`, the smaller of both. */
    readonly limitPercent?: number | undefined;
    readonly limitAmount?: { readonly amount: string; readonly currency: string } | undefined;
  }[];
  /** Up to four, where the outcome is adverse. */
  readonly factors?: readonly { readonly code: string; readonly text: string }[] | undefined;
  readonly reservation?: { readonly id: string; readonly expiresAt: string } | undefined;
  readonly decidedAt: string;
}

export interface ReservationAnswer {
  readonly reservationId: string;
  readonly state: 'RESERVED' | 'CONFIRMED' | 'RELEASED' | 'EXPIRED';
  readonly reserved: { readonly amount: string; readonly currency: string };
  readonly confirmed: { readonly amount: string; readonly currency: string };
  readonly refunded: { readonly amount: string; readonly currency: string };
  readonly expiresAt: string;
}

/** Reads a decision request. Refuses 400 `decision.malformed` with the field. */
export function parseDecisionRequest(body: unknown): WireDecisionRequest {
  return isPlainRequest(body) ? body : parseStrictly(decisionRequestSchema, body, 'decision.malformed');
}

const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['subject', /^[^]{0,64}$/],
  ['service', NAME],
  ['mode', /^(EVALUATE|RESERVE)$/],
  ['counterparty', COUNTERPARTY],
  ['channel', NAME],
  ['paymentReference', PAYMENT_REFERENCE],
]);

/**
 * Whether the schema would let it pass as it is, said of most requests at a fifth of its price (every decision passes here). What is not
 * plain is the schema's to judge; the spec holds this to it.
 */
function isPlainRequest(body: unknown): body is WireDecisionRequest {
  if (!isObject(body) || body['subject'] === undefined || body['service'] === undefined || body['mode'] === undefined) return false;
  for (const name in body) {
    const value = body[name];
    if (name === 'amount' || name === 'holdSeconds') continue;
    const form = FORMS.get(name);
    if (form === undefined || typeof value !== 'string' || !form.test(value)) return false;
  }
  const { holdSeconds } = body;
  if (holdSeconds !== undefined && !(Number.isInteger(holdSeconds) && Number(holdSeconds) >= 1 && Number(holdSeconds) <= holdSecondsMax))
    return false;
  return isPlainMoney(body['amount']);
}

function isPlainMoney(money: unknown): boolean {
  if (!isObject(money)) return false;
  for (const name in money) if (name !== 'amount' && name !== 'currency') return false;
  const { amount, currency } = money;
  return typeof amount === 'string' && amount.length <= 32 && typeof currency === 'string' && currency.length === 3;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the items of a batch, at most `batchItemsMax`. Refuses 400 `decision.malformed` with the field. */
export function parseDecisionBatch(body: unknown): readonly WireDecisionItem[] {
  return parseStrictly(decisionBatchSchema, body, 'decision.malformed').items;
}

/** Reads the body of confirm and refund; release takes an empty one. Refuses 400 `reservation.malformed` with the field. */
export function parseSettlementRequest(body: unknown): WireSettlementRequest {
  return parseStrictly(settlementRequestSchema, body ?? {}, 'reservation.malformed');
}

export function parseReleaseRequest(body: unknown): Record<string, never> {
  return parseStrictly(releaseRequestSchema, body ?? {}, 'reservation.malformed');
}

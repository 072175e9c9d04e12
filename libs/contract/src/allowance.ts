import { z } from 'zod';
import { type DecisionAnswer, decisionRequestSchema, wireMoneySchema } from './decision.js';
import { parseStrictly } from './strict-parse.js';

/**
 * Allowances (CONTRACT.md §5): a signed, short-lived right to spend a bounded amount in a bounded number of parts while decision-api cannot be
 * asked. It is a RESERVE decision like any other, so every limit, restriction and policy rule has applied before anything is spent.
 */

/** The `typ` of an allowance's header. */
export const ALLOWANCE_TYP = 'allowance+jwt';

const allowanceSpendsMax = 1_000;
export const settledSpendsMax = 200;

const { subject, service, counterparty, channel, paymentReference } = decisionRequestSchema.shape;

export const allowanceRequestSchema = z.strictObject({
  subject,
  service,
  amount: wireMoneySchema.describe('all parts together'),
  spends: z.int().min(1).max(allowanceSpendsMax).describe('the most parts; fewer are granted where a count limit leaves fewer'),
  seconds: z.int().min(1).describe('how long it may be spent; ALLOWANCE_SECONDS_MAX at most'),
  counterparty: counterparty.describe('every part is to it; limits by counterparty count it'),
  channel,
});

const spendSchema = z.strictObject({
  paymentReference: paymentReference.unwrap().describe('of this part; names it: repeated, the same part'),
  amount: wireMoneySchema,
  at: z.iso.datetime().describe('when it was spent'),
});

export const allowanceSettlementSchema = z.strictObject({
  spends: z.array(spendSchema).max(settledSpendsMax),
  close: z.boolean().optional().describe('true: nothing more will be spent; the rest is free again at once'),
});

export type WireAllowanceRequest = z.output<typeof allowanceRequestSchema>;
export type WireSpend = z.output<typeof spendSchema>;
export type WireAllowanceSettlement = z.output<typeof allowanceSettlementSchema>;
type WireMoneyShape = z.output<typeof wireMoneySchema>;

/** OPEN: it may be spent or settled. CLOSED: by its holder, or because nothing is left. EXPIRED: its hold ran out; what was spent is still taken. */
export type AllowanceState = 'OPEN' | 'CLOSED' | 'EXPIRED';

/**
 * What became of a reported part. SETTLED: taken from the hold. LATE: the hold was gone, so it counts as used though no room was kept for it.
 * REFUSED: not covered by the allowance; kept as evidence, and `code` says why.
 */
export interface SpendResult {
  readonly paymentReference: string;
  readonly result: 'SETTLED' | 'LATE' | 'REFUSED';
  readonly code?: string | undefined;
  /** The part as a confirmed reservation: refunds name it. */
  readonly reservationId?: string | undefined;
}

export interface AllowanceStatus {
  readonly allowanceId: string;
  readonly state: AllowanceState;
  readonly amount: WireMoneyShape;
  readonly spent: WireMoneyShape;
  readonly spends: number;
  readonly spendsMax: number;
  readonly expiresAt: string;
  /** Until then the amount is held. */
  readonly settleBy: string;
}

export interface GrantedAllowance {
  readonly decision: DecisionAnswer;
  readonly allowance: AllowanceStatus;
  /** A compact JWS, `typ: allowance+jwt`. */
  readonly token: string;
}

/** Without a token it was not granted; the decision says why. */
export type AllowanceAnswer =
  GrantedAllowance | { readonly decision: DecisionAnswer; readonly allowance?: undefined; readonly token?: undefined };

export interface AllowanceSettlementAnswer extends AllowanceStatus {
  readonly results: readonly SpendResult[];
}

const seconds = z.int().min(0);

const claimsSchema = z.looseObject({
  iss: z.string(),
  jti: z.string().max(64).describe('alw_…'),
  sub: z.string().max(64),
  service: z.string(),
  holder: z.string(),
  amount: wireMoneySchema,
  spends: z.int().min(1).max(allowanceSpendsMax),
  counterparty: z.string().optional(),
  channel: z.string().optional(),
  decision: z.string(),
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  settleBy: seconds,
});

/** Who may spend what, for whom and when. Times are whole seconds since 1970. `holder` is the service account it was issued to. */
export type AllowanceClaims = z.output<typeof claimsSchema>;

/** Refuses 400 `allowance.malformed` with the field. */
export function parseAllowanceRequest(body: unknown): WireAllowanceRequest {
  return parseStrictly(allowanceRequestSchema, body, 'allowance.malformed');
}

/** Refuses 400 `allowance.malformed` with the field. */
export function parseAllowanceSettlement(body: unknown): WireAllowanceSettlement {
  return parseStrictly(allowanceSettlementSchema, body, 'allowance.malformed');
}

/** Reads the claims of an allowance whose signature was verified. Refuses 400 `allowance.malformed` with the field. */
export function parseAllowanceClaims(payload: unknown): AllowanceClaims {
  return parseStrictly(claimsSchema, payload, 'allowance.malformed');
}

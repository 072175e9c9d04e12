import { z } from 'zod';
import type { RecordKind } from './credit-record.js';
import { numberedPageFields, pageFields } from './page.js';
import { parseStrictly } from './strict-parse.js';

/** What a record states about a subject, and so what can be disputed. */
export type DisputableKind = Extract<RecordKind, 'rating' | 'performance' | 'violation'>;

const ALL: readonly DisputableKind[] = ['rating', 'performance', 'violation'];

/**
 * Why a record is disputed: a closed list after e-OSCAR's dispute codes, each with the kinds of record that it can be said of. What the subject
 * wrote stays with the service that brought it; here is its code and SHA-256.
 */
export const DISPUTE_CODES = {
  NOT_MINE: { of: ALL, text: 'the record is about somebody else' },
  IDENTITY_FRAUD: { of: ALL, text: 'somebody else acted under the name of the subject' },
  ACCOUNT_TAKEOVER: { of: ALL, text: 'somebody else used an account of the subject' },
  INACCURATE: { of: ALL, text: 'the record is wrong in another way' },
  OUTDATED: { of: ALL, text: 'the record tells of a time that is over' },
  SCORE_WRONG: { of: ['rating'], text: 'the score or its reasons do not fit the facts' },
  STATUS_WRONG: { of: ['performance'], text: 'the status of the account is wrong' },
  BALANCE_WRONG: { of: ['performance'], text: 'the balance or the amount past due is wrong' },
  PAYMENT_HISTORY_WRONG: { of: ['performance'], text: 'the payment profile is wrong' },
  PAID: { of: ['performance'], text: 'what is shown as past due was paid' },
  NOT_LIABLE: { of: ['performance', 'violation'], text: 'the subject does not answer for it' },
  DID_NOT_HAPPEN: { of: ['violation'], text: 'the violation did not happen' },
  SEVERITY_WRONG: { of: ['violation'], text: 'the violation is shown as graver than it is' },
} as const satisfies Readonly<Record<string, { readonly of: readonly DisputableKind[]; readonly text: string }>>;

export type DisputeCode = keyof typeof DISPUTE_CODES;

const code = z.enum(Object.keys(DISPUTE_CODES) as [DisputeCode, ...DisputeCode[]]);
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a digest is SHA-256 in lower-case hexadecimal');
const jti = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'a jti is a UUIDv7 in lower case (RFC 9562)');

/** A bank's early flag on a record of its own. */
export const flagRecordRequest = z.strictObject({ code, statementDigest: digest.optional() });

/** A subject's dispute, brought by a service; `GET /v1/subjects/{id}/records` names the records. */
export const openDisputeRequest = flagRecordRequest.extend({
  record: z.strictObject({ issuer: z.string().regex(/^[a-z0-9-]{2,40}$/, 'an issuer is a participant id'), jti }),
});

/** What the subject adds; the answer is then due 15 days later, once. */
export const disputeInformationRequest = z.strictObject({ statementDigest: digest });

/** The furnisher's answer. `record`: the jti of its correction or withdrawal; where that has not arrived, the dispute waits for it. */
export const disputeAnswerRequest = z.discriminatedUnion('answer', [
  z.strictObject({ answer: z.literal('VERIFIED'), evidenceDigest: digest }),
  z.strictObject({ answer: z.literal('CORRECTED'), record: jti }),
  z.strictObject({ answer: z.literal('WITHDRAWN'), record: jti.optional().describe('absent: this answer withdraws it') }),
]);

export type FlagRecordRequest = z.output<typeof flagRecordRequest>;
export type OpenDisputeRequest = z.output<typeof openDisputeRequest>;
export type DisputeAnswerRequest = z.output<typeof disputeAnswerRequest>;

/** All refuse 400 `dispute.malformed` with the field. */
export const parseFlagRecord = (body: unknown): FlagRecordRequest => parseStrictly(flagRecordRequest, body, 'dispute.malformed');
export const parseOpenDispute = (body: unknown): OpenDisputeRequest => parseStrictly(openDisputeRequest, body, 'dispute.malformed');
export const parseDisputeAnswer = (body: unknown): DisputeAnswerRequest => parseStrictly(disputeAnswerRequest, body, 'dispute.malformed');
export const parseDisputeInformation = (body: unknown): { readonly statementDigest: string } =>
  parseStrictly(disputeInformationRequest, body, 'dispute.malformed');

/**
 * OPEN: the furnisher has not answered. ANSWERED: it named a correction or withdrawal that has not arrived yet; its time runs on. CLOSED, with
 * an outcome.
 */
export const DISPUTE_STATES = ['OPEN', 'ANSWERED', 'CLOSED'] as const;
export type DisputeState = (typeof DISPUTE_STATES)[number];

const disputePage = z.strictObject({ ...pageFields, state: z.enum(DISPUTE_STATES).optional() });

/** A page of disputes, of one state or of all. Refuses 400 `query.malformed` with the field. */
export function parseDisputePage(query: unknown): z.output<typeof disputePage> {
  return parseStrictly(disputePage, query, 'query.malformed');
}

const recordPage = z.strictObject({ ...numberedPageFields, state: z.literal('IN_FORCE').optional() });

/** A page of the records about a subject, all of them or what counts now. Refuses 400 `query.malformed` with the field. */
export function parseRecordPage(query: unknown): {
  readonly after: number | undefined;
  readonly countMax: number;
  readonly inForce: boolean;
} {
  const { after, limit, state } = parseStrictly(recordPage, query, 'query.malformed');
  return { after, countMax: limit, inForce: state !== undefined };
}

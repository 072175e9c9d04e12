import { z } from 'zod';
import { pageFields } from './page.js';
import { parseStrictly } from './strict-parse.js';

/**
 * Consents (CONTRACT.md §4): what a subject allows one participant to read, what for, how often and for how long. Asked by the participant,
 * granted by the subject through the platform, kept as a signed artefact of which every version stands.
 */

/** The `typ` of the artefact's header. */
export const CONSENT_TYP = 'consent+jwt';

/** What of a rating a consent may name; everything else of it is never told. */
export const RATING_CLAIMS = ['score', 'band', 'factors', 'restrictions', 'asOf'] as const;
export type RatingClaim = (typeof RATING_CLAIMS)[number];

/**
 * The scores that a threshold may be: where bands begin. However many thresholds a participant is allowed over the years, together they never tell
 * more than the band.
 */
export const RATING_THRESHOLDS = [550, 600, 650, 700] as const;

export const FETCH_TYPES = ['ONETIME', 'PERIODIC'] as const;
export type FetchType = (typeof FETCH_TYPES)[number];

export const CONSENT_PERIODS = ['DAY', 'WEEK', 'MONTH'] as const;
export type ConsentPeriod = (typeof CONSENT_PERIODS)[number];

/** The purposes a consent may have: a closed list. `lifeDaysMax` bounds the consent, `dataLifeDaysMax` what was read under it. */
export const CONSENT_PURPOSES = {
  CREDIT_APPLICATION: { text: 'to decide on credit that the subject applied for', lifeDaysMax: 90, dataLifeDaysMax: 90 },
  ACCOUNT_REVIEW: { text: 'to review or extend credit that the subject holds', lifeDaysMax: 366, dataLifeDaysMax: 90 },
  MERCHANT_FINANCING: { text: 'working capital and procurement credit of a merchant', lifeDaysMax: 366, dataLifeDaysMax: 90 },
  FRAUD_PREVENTION: { text: 'to check a payment or an application for fraud', lifeDaysMax: 90, dataLifeDaysMax: 7 },
  COLLECTION: { text: 'to collect what is overdue', lifeDaysMax: 180, dataLifeDaysMax: 30 },
  SUBJECT_INSTRUCTION: { text: 'something else that the subject asked the bank to do', lifeDaysMax: 366, dataLifeDaysMax: 366 },
} as const satisfies Record<string, { readonly text: string; readonly lifeDaysMax: number; readonly dataLifeDaysMax: number }>;
export type ConsentPurpose = keyof typeof CONSENT_PURPOSES;

const consentUsesPerPeriodMax = 1_000;

const purpose = z.enum(Object.keys(CONSENT_PURPOSES) as [ConsentPurpose, ...ConsentPurpose[]]);
const claims = z
  .array(z.enum(RATING_CLAIMS))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'each claim once');
const threshold = z.strictObject({ atLeast: z.literal(RATING_THRESHOLDS) });
const dataLifeSeconds = z
  .int()
  .min(60)
  .max(366 * 86_400);
const instant = z.iso.datetime();

const fetchSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ONETIME') }),
  z.strictObject({
    type: z.literal('PERIODIC'),
    count: z.int().min(1).max(consentUsesPerPeriodMax).describe('reads in one calendar period, at most'),
    every: z.enum(CONSENT_PERIODS),
  }),
]);

export const consentRequestSchema = z
  .strictObject({
    sub: z.string().max(64).describe('lnk_…: whom it is about, as you know it'),
    purpose: purpose.describe('what for: one of a closed list'),
    claims: claims.optional().describe('what of the rating you ask to read; either this or a threshold'),
    threshold: threshold.optional().describe('only whether the score is at least this much: Y, N or NA'),
    fetch: fetchSchema,
    dataLifeSeconds: dataLifeSeconds.describe('how long you may keep what you read'),
    notBefore: instant.optional().describe('from now on, where it is left out'),
    expiresAt: instant,
  })
  .refine((wish) => (wish.claims === undefined) !== (wish.threshold === undefined), {
    message: 'name either claims or a threshold',
    path: ['claims'],
  });

/** What a subject may make smaller: when it grants, and later. What is left out stays as it is. */
export const consentNarrowingSchema = z
  .strictObject({
    claims: claims.optional(),
    threshold: threshold.optional(),
    fetch: fetchSchema.optional(),
    dataLifeSeconds: dataLifeSeconds.optional(),
    expiresAt: instant.optional(),
  })
  .refine((wish) => wish.claims === undefined || wish.threshold === undefined, {
    message: 'name either claims or a threshold',
    path: ['claims'],
  });

export type WireConsentRequest = z.output<typeof consentRequestSchema>;
export type WireConsentNarrowing = z.output<typeof consentNarrowingSchema>;

/** Refuses 400 `consent.malformed` with the field. */
export function parseConsentRequest(body: unknown): WireConsentRequest {
  return parseStrictly(consentRequestSchema, body, 'consent.malformed');
}

/** No body narrows nothing. Refuses 400 `consent.malformed` with the field. */
export function parseConsentNarrowing(body: unknown): WireConsentNarrowing {
  return parseStrictly(consentNarrowingSchema, body ?? {}, 'consent.malformed');
}

const text = z.string().min(1).max(200);

/** What the artefact of a version says (RFC 7519): what the recipient verifies offline. */
export const consentArtefactClaims = z.strictObject({
  iss: text,
  aud: text,
  sub: text,
  jti: text,
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  consent: z.strictObject({
    id: text,
    version: z.int().min(1),
    subject: text,
    recipient: text,
    state: z.enum(['REQUESTED', 'ACTIVE', 'PAUSED', 'REJECTED', 'REVOKED', 'EXPIRED', 'CONSUMED']),
    by: z.enum(['RECIPIENT', 'SUBJECT', 'PLATFORM']),
    purpose,
    claims: claims.optional(),
    threshold: threshold.optional(),
    fetch: fetchSchema,
    dataLifeSeconds,
    notBefore: instant,
    expiresAt: instant,
    requestedAt: instant,
    changedAt: instant,
  }),
});
export type ConsentArtefactClaims = z.output<typeof consentArtefactClaims>;

/** Refuses 400 `consent.malformed` with the field. */
export function parseConsentArtefact(payload: unknown): ConsentArtefactClaims {
  return parseStrictly(consentArtefactClaims, payload, 'consent.malformed');
}

const consentPageSchema = z.strictObject({ ...pageFields, sub: z.string().max(64).optional() });

/** `after`: the `next` of the page before. Refuses 400 `query.malformed` with the field. */
export function parseConsentPage(query: unknown): z.output<typeof consentPageSchema> {
  return parseStrictly(consentPageSchema, query, 'query.malformed');
}

import { z } from 'zod';
import { CONSENT_PURPOSES, type ConsentPurpose, FETCH_TYPES, RATING_CLAIMS } from './consent.js';
import { parseStrictly } from './strict-parse.js';

/**
 * Ratings as their recipients read them (CONTRACT.md §3): an SD-JWT VC (RFC 9901, draft-ietf-oauth-sd-jwt-vc) with the consented claims, or
 * nothing but the answer to the consent's threshold.
 */

/** The `typ` and the media type of the credential. */
export const RATING_TYP = 'dc+sd-jwt';
export const RATING_MEDIA_TYPE = 'application/dc+sd-jwt';
export const RATING_VCT = 'urn:tallystick:credential:rating:1';
export const STATUS_LIST_MEDIA_TYPE = 'application/statuslist+jwt';

/** Disclosed with any claims, whether or not the consent names it: a rating that is disputed is never shown as one that is not. */
export const DISPUTED_CLAIM = 'disputed';
/** So many digests stand in every credential: decoys make up the rest, so a third party cannot count what else the subject allowed. */
export const RATING_DIGESTS = RATING_CLAIMS.length + 1;

/** NA: no bank reports anything about the subject, so nothing can be said. */
export type ThresholdAnswer = 'Y' | 'N' | 'NA';

/** One restriction in force, as its reader may know it. Days are UTC: a time to the second would be the same for every bank. */
export interface WireRatingRestriction {
  /** The name that this reader's events call it by. */
  readonly restriction: string;
  readonly step: string;
  /** Empty: all services. */
  readonly services: readonly string[];
  readonly reason: { readonly code: string; readonly text: string };
  readonly since: string;
  readonly until?: string;
}

/** What may be disclosed; `asOf` is the moment of the read. */
export interface WireRatingClaims {
  readonly score?: number;
  readonly band?: string;
  /** The weightiest first; four, and inquiries as a fifth where they weigh. */
  readonly factors?: readonly { readonly code: string; readonly text: string }[];
  readonly restrictions?: readonly WireRatingRestriction[];
  readonly asOf?: string;
  readonly disputed?: boolean;
}

/** Whatever is left out is as the consent has it; what is named must fit it. */
const ratingQuery = z.strictObject({
  consent: z.string().max(64).describe('cns_…: the consent you read under'),
  claims: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(RATING_CLAIMS)).refine((list) => new Set(list).size === list.length, 'each claim once'))
    .optional()
    .describe('fewer claims than the consent names, with commas'),
  purpose: z.enum(Object.keys(CONSENT_PURPOSES) as [ConsentPurpose, ...ConsentPurpose[]]).optional(),
  fetchType: z.enum(FETCH_TYPES).optional(),
  dataLifeSeconds: z
    .string()
    .regex(/^[1-9][0-9]{0,9}$/, 'a number of seconds')
    .transform(Number)
    .optional()
    .describe('a shorter life of the data than the consent allows'),
});
export type RatingQuery = z.output<typeof ratingQuery>;

/** Refuses 400 `rating.malformed` with the field. */
export function parseRatingQuery(query: unknown): RatingQuery {
  return parseStrictly(ratingQuery, query ?? {}, 'rating.malformed');
}

const text = z.string().min(1).max(200);
const reason = z.strictObject({ code: text, text });
const day = z.iso.date();

/** What a verified credential says: what everybody may read, and what its holder discloses. */
const ratingCredentialClaims = z.strictObject({
  iss: text,
  vct: z.literal(RATING_VCT),
  sub: z.string().startsWith('lnk_'),
  iat: z.int(),
  exp: z.int(),
  cnf: z.strictObject({ jwk: z.record(z.string(), z.unknown()) }),
  status: z.strictObject({ status_list: z.strictObject({ idx: z.int().min(0), uri: z.url() }) }),
  scale: z.strictObject({ min: z.int(), max: z.int() }),
  disputed: z.boolean(),
  score: z.int().optional(),
  band: text.optional(),
  factors: z.array(reason).max(5).optional(),
  restrictions: z
    .array(z.strictObject({ restriction: text, step: text, services: z.array(text), reason, since: day, until: day.optional() }))
    .optional(),
  asOf: z.iso.datetime().optional(),
});
export type RatingCredentialClaims = z.output<typeof ratingCredentialClaims>;

/** Refuses 400 `rating.malformed` with the field. A credential that keeps back whether it is disputed is malformed, too. */
export function parseRatingCredential(claims: unknown): RatingCredentialClaims {
  return parseStrictly(ratingCredentialClaims, claims, 'rating.malformed');
}

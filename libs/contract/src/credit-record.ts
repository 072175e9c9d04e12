import { z } from 'zod';
import { Refusal } from '#kernel';
import { checkPerformance, performanceBody } from './performance.js';
import { plainCheck } from './plain-check.js';
import { parseStrictly } from './strict-parse.js';

const recordFactorsMax = 5;
const scoreMax = 10_000;

const code = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{1,39}$/, 'a code is 2 to 40 letters, digits, "_", "." or "-"');
const version = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}$/, 'a version is 1 to 40 letters, digits, "_", ".", ":" or "-"');
const time = z.iso.datetime('a time is UTC as in RFC 3339, such as 2026-11-21T08:00:00.000Z');
const jti = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'a jti is a UUIDv7 in lower case (RFC 9562)');

/** So many characters (not UTF-16 units) of any script, but no control characters and no half of a character: what can be shown and kept. */
const textUpTo = (charactersMax: number) =>
  z
    .string()
    .regex(
      new RegExp(`^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]{1,${charactersMax}}$`, 'u'),
      `a text is 1 to ${charactersMax} characters, none of them a control character`,
    );

const ratingBody = z.strictObject({
  score: z.int().min(0).max(scoreMax),
  scale: z.strictObject({ min: z.int().min(0).max(scoreMax), max: z.int().min(1).max(scoreMax) }),
  band: textUpTo(16),
  factors: z.array(z.strictObject({ code, text: textUpTo(200) })).max(recordFactorsMax),
  model: z.strictObject({ id: code, version }),
});

const violationBody = z.strictObject({
  code,
  severity: z.enum(['MINOR', 'MAJOR', 'SEVERE']),
  evidenceDigest: z.string().regex(/^[0-9a-f]{64}$/, 'an evidence digest is SHA-256 in lower-case hexadecimal'),
  occurredAt: time,
});

const clearanceBody = z.strictObject({ clears: jti, clearedAt: time.optional() });
const withdrawalBody = z.strictObject({ replaces: jti, reason: code.optional() });
export const correctionBody = z
  .strictObject({
    replaces: jti,
    reason: code.optional(),
    rating: ratingBody.optional(),
    performance: performanceBody.optional(),
    violation: violationBody.optional(),
  })
  .refine(({ rating, performance, violation }) => [rating, performance, violation].filter(Boolean).length === 1, {
    message: 'a correction holds exactly one of rating, performance and violation',
  });

const head = {
  iss: z.string().regex(/^[a-z0-9-]{2,40}$/, 'iss is a participant id'),
  sub: z.string().regex(/^lnk_[0-9a-hjkmnp-tv-z]{27}$/, 'sub is the reference of a link: lnk_…'),
  jti,
  seq: z.int().min(1),
  iat: z.int().min(1),
  asOf: time,
};

/** One row per kind of record (CONTRACT.md §3). Clearances and withdrawals end something, so they need no end of their own. */
export const creditRecord = z.discriminatedUnion('kind', [
  z.strictObject({ ...head, kind: z.literal('rating'), validUntil: time, rating: ratingBody }),
  z.strictObject({ ...head, kind: z.literal('performance'), validUntil: time, performance: performanceBody }),
  z.strictObject({ ...head, kind: z.literal('violation'), validUntil: time, violation: violationBody }),
  z.strictObject({ ...head, kind: z.literal('clearance'), validUntil: time.optional(), clearance: clearanceBody }),
  z.strictObject({ ...head, kind: z.literal('correction'), validUntil: time, correction: correctionBody }),
  z.strictObject({ ...head, kind: z.literal('withdrawal'), validUntil: time.optional(), withdrawal: withdrawalBody }),
]);

/** Of the kinds that come by the million. */
const PLAIN: ReadonlyMap<unknown, (payload: unknown) => boolean> = new Map(
  creditRecord.options.slice(0, 3).map((option) => [option.shape.kind.value, plainCheck(option)]),
);

export type CreditRecord = z.output<typeof creditRecord>;
export type RecordKind = CreditRecord['kind'];
export type Rating = z.output<typeof ratingBody>;
export type Violation = z.output<typeof violationBody>;
export type Severity = Violation['severity'];

/**
 * Reads the payload of a credit record; an unknown field is refused. Times and numbers keep their wire form.
 * Refuses 400 `record.malformed` with the field; 422 `record.inconsistent`; what `parseMoney` refuses, with the field.
 */
export function parseCreditRecord(payload: unknown): CreditRecord {
  const record = isPlain(payload) ? payload : parseStrictly(creditRecord, payload, 'record.malformed');
  const [body, where] = record.kind === 'correction' ? [record.correction, '/correction'] : [record, ''];
  if ('rating' in body && body.rating) checkRating(body.rating, `${where}/rating`);
  if ('performance' in body && body.performance) checkPerformance(body.performance, `${where}/performance`);
  return record;
}

/** Whether the schema would let it pass as it is; the spec holds this to it. */
function isPlain(payload: unknown): payload is CreditRecord {
  return PLAIN.get((payload as { kind?: unknown } | null | undefined)?.kind)?.(payload) ?? false;
}

function checkRating({ score, scale }: Rating, field: string): void {
  if (scale.min >= scale.max) throw inconsistent('scale.min must be below scale.max', `${field}/scale`);
  if (score < scale.min || score > scale.max) throw inconsistent('the score lies outside its scale', `${field}/score`);
}

function inconsistent(detail: string, field: string): Refusal {
  return new Refusal('unprocessable', 'record.inconsistent', detail, { field });
}

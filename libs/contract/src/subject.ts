import { z } from 'zod';
import { Refusal } from '#kernel';
import { plainText } from './plain-text.js';
import { parseStrictly } from './strict-parse.js';

const registerSubjectRequest = z.strictObject({ kind: z.enum(['INDIVIDUAL', 'MERCHANT']) });
const createLinkRequest = z.strictObject({
  participant: z.string().regex(/^[a-z0-9-]{2,40}$/, 'a participant id is 2 to 40 of a-z, 0-9 and "-"'),
  /** What the bank calls its customer, when the subject gave it: told to that bank alone. */
  customerReference: plainText(64).optional(),
});

export type SubjectKind = z.output<typeof registerSubjectRequest>['kind'];
export type RegisterSubjectRequest = z.output<typeof registerSubjectRequest>;
export type CreateLinkRequest = z.output<typeof createLinkRequest>;

/** Refuses 400 `subject.malformed` with the field. */
export function parseRegisterSubject(body: unknown): RegisterSubjectRequest {
  return parseStrictly(registerSubjectRequest, body, 'subject.malformed');
}

/** Refuses 400 `link.malformed` with the field. */
export function parseCreateLink(body: unknown): CreateLinkRequest {
  return parseStrictly(createLinkRequest, body, 'link.malformed');
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{8,64}$/;

/** An Idempotency-Key: 8 to 64 visible characters. Refuses 400 `idempotency.key_missing` and `idempotency.key_malformed`. */
export function parseIdempotencyKey(key: unknown): string {
  if (typeof key === 'string' && IDEMPOTENCY_KEY.test(key)) return key;
  const code = key === undefined || key === '' ? 'idempotency.key_missing' : 'idempotency.key_malformed';
  throw new Refusal(
    'malformed',
    code,
    'send an idempotency key of 8 to 64 visible characters: a header, in gRPC the field idempotency_key',
    {
      field: 'Idempotency-Key',
    },
  );
}

import { parseStrictly, plainText } from '#contract';
import { isUuid, parseId, Refusal, type ShardedId } from '#kernel';
import { z } from 'zod';
import type { AppealGrounds } from './appeal.js';
import { readSanction, sanctionSchema } from './ladder-document.js';
import type { StaffOrder } from './staff-order.js';

const code = z.string().regex(/^[A-Z0-9][A-Z0-9_]{1,39}$/, 'a code is 2 to 40 of A-Z, 0-9 and "_"');
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a digest is SHA-256 in lower-case hexadecimal');

const about = {
  reason: z.strictObject({ code, text: plainText(200) }),
  evidence: z.strictObject({ digest, reference: plainText(200) }),
};

const orderSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('IMPOSE'), sanction: sanctionSchema, currency: z.string().length(3).default('CNY'), ...about }),
  z.strictObject({ kind: z.enum(['LIFT', 'UPHOLD', 'OVERTURN']), restriction: z.string().max(64), ...about }),
]);

/** Refuses 400 `restriction_order.malformed` with the field, `id.malformed`, and what `parseMoney` refuses of an amount. */
export function parseStaffOrder(input: unknown, subject: ShardedId): StaffOrder {
  const { reason, evidence, ...order } = parseStrictly(orderSchema, input, 'restriction_order.malformed');
  if (order.kind === 'IMPOSE')
    return { action: { kind: 'IMPOSE', sanction: readSanction(order.sanction, order.currency) }, reason, evidence };
  return { action: { kind: order.kind, restriction: parseRestrictionId(order.restriction, subject) }, reason, evidence };
}

const appealSchema = z.strictObject({ grounds: z.strictObject({ code, evidenceDigest: digest.optional() }) });

/** Refuses 400 `appeal.malformed` with the field. */
export function parseAppeal(body: unknown): AppealGrounds {
  return parseStrictly(appealSchema, body, 'appeal.malformed').grounds;
}

/** Decisions show the bare UUID, lists the whole id: both are read. Refuses 400 `id.malformed`, 404 `restriction.unknown` for another subject's. */
export function parseRestrictionId(text: string, { shard }: ShardedId): string {
  if (isUuid(text)) return text;
  const id = parseId('rst', text);
  if (id.shard === shard) return id.uuid;
  throw new Refusal('not_found', 'restriction.unknown', 'the subject has no restriction of this id');
}

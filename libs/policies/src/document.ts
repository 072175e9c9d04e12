import { parseStrictly } from '#contract';
import { z } from 'zod';

/** A policy as people write it: data only (CONTRACT.md §6). Amounts are decimal strings in the policy's one currency. */

export const tiersMax = 20;
export const servicesMax = 200;
export const limitsMax = 100;
export const discountsMax = 200;

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/);
const amount = z.string().regex(/^[0-9]{1,16}(\.[0-9]{1,5})?$/);
const count = z.int().min(0).max(1_000_000_000);

const capSchema = z.strictObject({ amount: amount.optional(), count: count.optional() });

const limitSchema = z.strictObject({
  id: name,
  window: z.enum(['TRANSACTION', 'DAY', 'WEEK', 'MONTH', 'LIFETIME']),
  alignment: z.enum(['CALENDAR']).default('CALENDAR').describe("in the policy's time zone; weeks from Monday"),
  scope: z.enum(['SUBJECT', 'SUBJECT_SERVICE', 'SUBJECT_COUNTERPARTY']),
  amount: amount.optional(),
  count: count.optional(),
  byTier: z.record(name, capSchema).default({}).describe("a tier's own amount or count; it wins over the limit's"),
});

const serviceSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  mode: z.enum(['off', 'advisory', 'enforce']),
  minimumScore: z.int().min(350).max(950).optional(),
  reviewAbove: amount.optional().describe('a larger amount is for a person to look at: REVIEW, which reserves'),
  limits: z.array(limitSchema).max(limitsMax).default([]),
});

const discountSchema = z.strictObject({
  id: name,
  services: z.array(name).default([]).describe('none named: all'),
  tiers: z.array(name).min(1),
  percent: z.string().regex(/^[0-9]{1,2}(\.[0-9]{1,4})?$|^100$/),
  rounding: z.enum(['DOWN', 'HALF_UP', 'HALF_EVEN']).default('DOWN').describe('to the minor unit'),
});

export const policySchema = z.strictObject({
  id: name,
  version: z.int().min(1),
  timeZone: z.string().max(64).describe('IANA name'),
  currency: z.string().length(3).describe('ISO 4217'),
  tiers: z
    .array(z.strictObject({ name, minimumScore: z.int().min(350).max(950) }))
    .min(1)
    .max(tiersMax),
  services: z.array(serviceSchema).min(1).max(servicesMax),
  limits: z.array(limitSchema).max(limitsMax).default([]).describe('over all services together'),
  discounts: z.array(discountSchema).max(discountsMax).default([]),
});

export type PolicyDocument = z.output<typeof policySchema>;
export type PolicyInput = z.input<typeof policySchema>;
export type LimitDocument = PolicyDocument['limits'][number];
export type DiscountDocument = PolicyDocument['discounts'][number];
export type ServiceDocument = PolicyDocument['services'][number];

/** The published JSON Schema (2020-12) of a policy document. */
export function policyJsonSchema(): object {
  return z.toJSONSchema(policySchema, { io: 'input' });
}

/** Reads a document's shape. Refuses 400 `policy.malformed` with the field; whether it makes sense is `compilePolicy`'s to say. */
export function parsePolicy(input: unknown): PolicyDocument {
  return parseStrictly(policySchema, input, 'policy.malformed');
}

import { parseStrictly } from '#contract';
import { disputesSchema, ladderSchema } from '#standing';
import { z } from 'zod';
import { ruleSchema, rulesMax } from './rules/rule-document.js';

/** A policy as people write it: data only (CONTRACT.md §6). Amounts are decimal strings in the policy's one currency. */

const tiersMax = 20;
const servicesMax = 200;
const limitsMax = 100;
const discountsMax = 200;
const counterpartiesMax = 1_000;

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/);
const amount = z.string().regex(/^[0-9]{1,16}(\.[0-9]{1,5})?$/);
const percent = z.string().regex(/^[0-9]{1,2}(\.[0-9]{1,4})?$|^100$/);
const length = z.string().regex(/^P(?=[0-9T])([0-9]{1,3}W)?([0-9]{1,3}D)?(T(?=[0-9])([0-9]{1,4}H)?([0-9]{1,6}M)?)?$/);
const count = z.int().min(0).max(1_000_000_000);

const capSchema = z.strictObject({ amount: amount.optional(), count: count.optional() });

const limitSchema = z.strictObject({
  id: name,
  window: z.enum(['TRANSACTION', 'DAY', 'WEEK', 'MONTH', 'LIFETIME', 'ROLLING', 'CUSTOM', 'OPEN_EXPOSURE']),
  alignment: z.enum(['CALENDAR']).default('CALENDAR').describe("days, weeks (from Monday) and months of the policy's time zone"),
  length: length.optional().describe('ROLLING: how long, ISO 8601 weeks, days of 24 hours, hours and minutes'),
  grain: length.optional().describe('ROLLING: kept in pieces of this length; a 48th of the length unless named'),
  every: z
    .string()
    .regex(/^P[1-9][0-9]{0,3}[DWMY]$/)
    .optional()
    .describe("CUSTOM: ISO 8601 days, weeks, months or years of the policy's time zone"),
  anchor: z
    .string()
    .regex(/^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$/)
    .optional()
    .describe('CUSTOM: the first day of one of its periods'),
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
  counterparties: z.array(z.string().min(1).max(64)).min(1).max(counterpartiesMax).optional().describe('only with these; absent: with all'),
  percent: percent.optional().describe('of the amount; either this or `amount`'),
  amount: amount.optional().describe('off every amount that is as large'),
  maximum: amount.optional().describe('takes off no more than this'),
  minimumAmount: amount.optional().describe('applies to amounts of at least this'),
  rounding: z.enum(['DOWN', 'HALF_UP', 'HALF_EVEN']).default('DOWN').describe('of a percentage, to the minor unit'),
});

const stackingSchema = z.strictObject({
  mode: z.enum(['BEST', 'SUM', 'SEQUENTIAL']).describe('the best one; all, each of the whole amount; all in order, each of what is left'),
  maximumPercent: percent.optional().describe('all together take off no more than this of the amount, rounded down'),
  maximum: amount.optional().describe('all together take off no more than this'),
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
  stacking: stackingSchema.optional().describe('how several discounts go together; absent: BEST'),
  rules: z.array(ruleSchema).max(rulesMax).optional(),
  ladder: ladderSchema.optional().describe('what violations cost; absent: the built-in ladder'),
  disputes: disputesSchema.optional().describe('how disputed records count, and the clocks of their disputes; absent: the built-in ones'),
});

export type PolicyDocument = z.output<typeof policySchema>;
export type PolicyInput = z.input<typeof policySchema>;
export type LimitDocument = PolicyDocument['limits'][number];
export type DiscountDocument = PolicyDocument['discounts'][number];
export type StackingDocument = NonNullable<PolicyDocument['stacking']>;
export type ServiceDocument = PolicyDocument['services'][number];

/** The published JSON Schema (2020-12) of a policy document. */
export function policyJsonSchema(): object {
  return z.toJSONSchema(policySchema, { io: 'input' });
}

/** Reads a document's shape. Refuses 400 `policy.malformed` with the field; whether it makes sense is `compilePolicy`'s to say. */
export function parsePolicy(input: unknown): PolicyDocument {
  return parseStrictly(policySchema, input, 'policy.malformed');
}

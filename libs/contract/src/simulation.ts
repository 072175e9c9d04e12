import { z } from 'zod';
import { type DecisionAnswer, decisionRequestSchema } from './decision.js';
import { parseStrictly } from './strict-parse.js';

/** "What if", asked without asking: a decision that changes nothing and leaves nothing (CONTRACT.md §5). */

const supposedLimitsMax = 100;

const decimal = z.string().regex(/^[0-9]{1,13}(\.[0-9]{1,4})?$/);

/** What differs from how things are. Whatever is not named is as it is now. */
const suppositionSchema = z.strictObject({
  score: z.int().min(350).max(950).optional().describe('instead of the subject’s own; not together with tier'),
  tier: z.string().max(40).optional().describe('the lowest score of this tier of the policy'),
  policyVersion: z
    .string()
    .regex(/^[1-9][0-9]{0,17}$/)
    .optional()
    .describe('any version, a draft too; without: the active one'),
  at: z.iso.datetime().optional().describe('the moment of the decision; without: now'),
  withoutRestrictions: z.boolean().optional(),
  usage: z
    .array(
      z.strictObject({
        limit: z.string().max(80).describe('a limit’s id'),
        used: decimal.optional(),
        reserved: decimal.optional(),
        taken: z.int().min(0).max(1_000_000_000).optional().describe('transactions'),
      }),
    )
    .max(supposedLimitsMax)
    .optional()
    .describe('instead of what the subject has spent and on hold'),
});

export const simulationRequestSchema = decisionRequestSchema.omit({ mode: true, subject: true, paymentReference: true }).extend({
  subject: decisionRequestSchema.shape.subject.optional().describe('sub_…; without one, suppose a score or a tier'),
  suppose: suppositionSchema.optional(),
});

export type WireSimulationRequest = z.output<typeof simulationRequestSchema>;
export type WireSupposition = z.output<typeof suppositionSchema>;

/** A counter that the request would be held to, as the simulation found it. */
export interface SimulatedCap {
  readonly limit: string;
  readonly window: string;
  /** OPEN counts what is on hold; SPENT also what was confirmed. */
  readonly measure: 'SPENT' | 'OPEN';
  readonly counter: string;
  /** What started in [from, end) counts. */
  readonly from: string;
  readonly end: string;
  readonly amount?: string | undefined;
  readonly count?: number | undefined;
  readonly used: string;
  readonly reserved: string;
  readonly taken: number;
  readonly exceeded: boolean;
}

export interface SimulationAnswer {
  /** As a RESERVE would be answered, without ids: nothing was decided and nothing is held. */
  readonly answer: DecisionAnswer;
  /** Until when the amount would be on hold. */
  readonly wouldReserveUntil?: string | undefined;
  readonly caps: readonly SimulatedCap[];
}

/** Reads a simulation. Refuses 400 `decision.malformed` with the field. */
export function parseSimulationRequest(body: unknown): WireSimulationRequest {
  return parseStrictly(simulationRequestSchema, body, 'decision.malformed');
}

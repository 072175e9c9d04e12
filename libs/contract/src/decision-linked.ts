import { z } from 'zod';
import { type DecisionAnswer, decisionRequestSchema } from './decision.js';
import { parseStrictly } from './strict-parse.js';

/** Each item waits for the one before it, under one lock: a group is short. */
const linkedItemsMax = 20;

/** Several reservations of one subject, all or none (CONTRACT.md §5). The key is the group's. */
export const linkedRequestSchema = z.strictObject({
  subject: decisionRequestSchema.shape.subject,
  items: z
    .array(decisionRequestSchema.omit({ subject: true, mode: true }))
    .min(1)
    .max(linkedItemsMax),
});

export type WireLinkedRequest = z.output<typeof linkedRequestSchema>;

/** One item's problem in a batch, in a group or on a stream, where no status line can carry it. */
export interface ItemProblem {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
  readonly field?: string;
  readonly retryAfterSeconds?: number;
}

/** One item of a group: its decision, or why there is none. */
export type LinkedResult = { readonly answer: DecisionAnswer } | { readonly problem: ItemProblem };

export interface LinkedAnswer {
  readonly outcome: 'RESERVED' | 'REFUSED';
  /** The items, counted from 0, for which the group was refused. The others would have been reserved: `linked.refused`. */
  readonly failed: readonly number[];
  /** One for each item, in order. */
  readonly results: readonly LinkedResult[];
}

/** Reads a linked batch. Refuses 400 `decision.malformed` with the field. */
export function parseLinkedRequest(body: unknown): WireLinkedRequest {
  return parseStrictly(linkedRequestSchema, body, 'decision.malformed');
}

import { z } from 'zod';
import { type DecisionAnswer, decisionRequestSchema } from './decision.js';
import type { ItemProblem } from './decision-linked.js';
import { parseStrictly } from './strict-parse.js';

export const openAnswersMax = 50;

/** What a service said yes to on its own while decision-api could not be asked (the SDK's open posture, CONTRACT.md §5). */
export const openAnswersSchema = z.strictObject({
  answers: z
    .array(
      z.strictObject({
        key: z
          .string()
          .regex(/^[\x21-\x7e]{8,64}$/)
          .describe('of the call that had no answer'),
        at: z.iso.datetime().describe('when the service said yes'),
        request: decisionRequestSchema.omit({ mode: true }),
      }),
    )
    .min(1)
    .max(openAnswersMax),
});

export type WireOpenAnswer = z.output<typeof openAnswersSchema>['answers'][number];

/** The decision as it should have been, made or found now under the same key: what ALLOW reserves is yours to confirm or release. */
export type OpenAnswerResult = { readonly key: string } & ({ readonly answer: DecisionAnswer } | { readonly problem: ItemProblem });

/** Refuses 400 `open_answer.malformed` with the field. */
export function parseOpenAnswers(body: unknown): readonly WireOpenAnswer[] {
  return parseStrictly(openAnswersSchema, body, 'open_answer.malformed').answers;
}

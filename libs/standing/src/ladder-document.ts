import { z } from 'zod';
import { parseMoney } from '#kernel';
import { BUILT_IN_APPEAL, BUILT_IN_LADDER, type Ladder, type Sanction } from './ladder.js';

/** A ladder as people write it, inside a policy document (CONTRACT.md §6). Amounts are decimal strings in the policy's currency. */

const rungsMax = 20;
const sanctionsMax = 5;
const holidaysMax = 1_000;
const daysMax = 3_650;

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/);

export const sanctionSchema = z
  .strictObject({
    step: z.enum(['WARN', 'LIMIT_CUT', 'SERVICE_STOP', 'CLOSURE', 'BANK_NOTICE']),
    services: z
      .array(z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/))
      .max(200)
      .default([])
      .describe('none named: all'),
    limitPercent: z.int().min(0).max(99).optional().describe('LIMIT_CUT: what is left of every amount limit'),
    limitAmount: z
      .string()
      .regex(/^[0-9]{1,16}(\.[0-9]{1,5})?$/)
      .optional()
      .describe('LIMIT_CUT: the most that any amount limit may be; the smaller of both counts'),
    days: z.int().min(1).max(daysMax).optional().describe('from the violation; without it only its clearance or its validity ends it'),
  })
  .refine(({ step, limitPercent, limitAmount }) => (step === 'LIMIT_CUT') === (limitPercent !== undefined || limitAmount !== undefined), {
    message: 'a LIMIT_CUT, and nothing else, has limitPercent or limitAmount',
  });

export const ladderSchema = z
  .strictObject({
    rungs: z
      .array(z.strictObject({ id: name, sanctions: z.array(sanctionSchema).min(1).max(sanctionsMax) }))
      .min(1)
      .max(rungsMax)
      .describe('the mildest first'),
    start: z.strictObject({ MINOR: name, MAJOR: name, SEVERE: name }).describe('the rung where a violation of each severity begins'),
    escalation: z
      .strictObject({ withinDays: z.int().min(1).max(daysMax) })
      .optional()
      .describe('one rung higher for every earlier violation of the same code within so many days'),
    appeal: z
      .strictObject({
        openDays: z.int().min(1).max(daysMax),
        answerBusinessDays: z.int().min(1).max(250),
        remindBusinessDaysBefore: z.int().min(0).max(250).default(2),
        holidays: z.array(z.iso.date()).max(holidaysMax).default([]).describe("local dates; the time zone is the policy's"),
      })
      .optional(),
  })
  .refine(({ rungs }) => new Set(rungs.map(({ id }) => id)).size === rungs.length, { message: 'rungs have different ids', path: ['rungs'] })
  .refine(({ rungs, start }) => Object.values(start).every((id) => rungs.some((rung) => rung.id === id)), {
    message: 'a severity begins at a rung of this ladder',
    path: ['start'],
  });

export type LadderDocument = z.output<typeof ladderSchema>;

/** Where a document stands that brings a ladder. */
export interface LadderPlace {
  readonly name: string;
  readonly currency: string;
  readonly timeZone: string;
}

/** A ladder ready to judge by; without a document the built-in one. Business days are those of the place. Refuses what `parseMoney` refuses of an amount. */
export function readLadder(document: LadderDocument | undefined, { name, currency, timeZone }: LadderPlace): Ladder {
  if (!document) return { ...BUILT_IN_LADDER, appeal: { ...BUILT_IN_APPEAL, timeZone } };
  const { rungs, start, escalation, appeal } = document;
  return {
    name,
    rungs: rungs.map(({ id, sanctions }) => ({ id, sanctions: sanctions.map((sanction) => readSanction(sanction, currency)) })),
    start,
    ...(escalation ? { escalation } : {}),
    appeal: { ...BUILT_IN_APPEAL, ...appeal, timeZone },
  };
}

/** Refuses what `parseMoney` refuses of an amount. */
export function readSanction(sanction: z.output<typeof sanctionSchema>, currency: string): Sanction {
  const { step, services, limitPercent, limitAmount, days } = sanction;
  return {
    step,
    services,
    ...(limitPercent === undefined ? {} : { limitPercent }),
    ...(limitAmount === undefined ? {} : { limitMinor: parseMoney({ amount: limitAmount, currency }).minor, currency }),
    ...(days === undefined ? {} : { days }),
  };
}

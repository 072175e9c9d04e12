import { z } from 'zod';
import type { DisputeDeadlines, DisputeTreatment } from '#records';
import { BusinessCalendar } from '../business-days.js';

const DAY_MS = 86_400_000;
const holidaysMax = 1_000;

/** How disputed records count, and the clocks of their disputes (CONTRACT.md §3; FCRA §611). Ready to judge by. */
export interface DisputePolicy extends DisputeTreatment {
  /** The furnisher is to have heard by the end of this many business days after the day of the dispute. */
  readonly noticeBusinessDays: number;
  /** Days of 24 h in which the furnisher answers; what the subject adds gives it `extensionDays` more, once. */
  readonly answerDays: number;
  readonly extensionDays: number;
  /** The furnisher is reminded this many days before its answer is due. */
  readonly remindDaysBefore: number;
  /** Every recipient is to have heard of the result by the end of this many business days after its day. */
  readonly resultBusinessDays: number;
  /** IANA name. */
  readonly timeZone: string;
  /** Local dates (YYYY-MM-DD) that are no business days; Saturdays and Sundays never are. */
  readonly holidays: readonly string[];
}

/** Counts where the active policy says nothing of disputes: what is doubted adds nothing to a score, and what protects others stays. */
export const BUILT_IN_DISPUTES: DisputePolicy = {
  score: 'EXCLUDE',
  capPoints: 0,
  restrictions: 'KEEP',
  noticeBusinessDays: 5,
  answerDays: 30,
  extensionDays: 15,
  remindDaysBefore: 7,
  resultBusinessDays: 5,
  timeZone: 'UTC',
  holidays: [],
};

/** As people write it, inside a policy document. A policy may give subjects more than CONTRACT.md §3, never less. */
export const disputesSchema = z
  .strictObject({
    score: z.enum(['EXCLUDE', 'CAP', 'KEEP']).describe('how a disputed record counts in the score while its dispute is open'),
    capPoints: z.int().min(1).max(600).optional().describe('CAP: without the record the score is at most so much above what it is with it'),
    restrictions: z.enum(['KEEP', 'SUSPEND']).describe('what a disputed violation costs stays, or is lifted until the dispute closes'),
    noticeBusinessDays: z.int().min(1).max(5).optional(),
    answerDays: z.int().min(1).max(30).optional(),
    extensionDays: z.int().min(1).max(15).optional(),
    remindDaysBefore: z.int().min(1).max(30).optional(),
    resultBusinessDays: z.int().min(1).max(5).optional(),
    holidays: z.array(z.iso.date()).max(holidaysMax).optional().describe("local dates; the time zone is the policy's"),
  })
  .refine(({ score, capPoints }) => (score === 'CAP') === (capPoints !== undefined), {
    message: 'CAP, and nothing else, has capPoints',
    path: ['capPoints'],
  })
  .refine(({ answerDays = 30, remindDaysBefore = 7 }) => remindDaysBefore < answerDays, {
    message: 'the reminder comes after the dispute was opened',
    path: ['remindDaysBefore'],
  });

export type DisputesDocument = z.output<typeof disputesSchema>;

/** What the document leaves out, or all of it where it says nothing of disputes, is built in; business days are always those of its time zone. */
export function readDisputes(document: DisputesDocument | undefined, timeZone: string): DisputePolicy {
  const given = Object.fromEntries(Object.entries(document ?? {}).filter(([, value]) => value !== undefined));
  return { ...BUILT_IN_DISPUTES, ...given, timeZone };
}

/** The deadlines of a dispute that is opened now. */
export function deadlinesFrom(at: Date, policy: DisputePolicy): DisputeDeadlines {
  const noticeBy = new BusinessCalendar(policy).endOfBusinessDay(at, policy.noticeBusinessDays);
  return { noticeBy, ...answerDeadlines(at, policy.answerDays, policy) };
}

/** The answer's deadlines after the subject has added something, counted from the day the dispute was opened. */
export function extendedDeadlines(openedAt: Date, policy: DisputePolicy): Pick<DisputeDeadlines, 'dueAt' | 'dueSoonAt'> {
  return answerDeadlines(openedAt, policy.answerDays + policy.extensionDays, policy);
}

export function resultBy(at: Date, policy: DisputePolicy): Date {
  return new BusinessCalendar(policy).endOfBusinessDay(at, policy.resultBusinessDays);
}

export function treatmentOf({ score, capPoints, restrictions }: DisputePolicy): DisputeTreatment {
  return { score, capPoints, restrictions };
}

function answerDeadlines(from: Date, days: number, { remindDaysBefore }: DisputePolicy) {
  const dueAt = new Date(from.getTime() + days * DAY_MS);
  return { dueAt, dueSoonAt: new Date(dueAt.getTime() - remindDaysBefore * DAY_MS) };
}

import { Refusal } from '#kernel';
import type { LocalPeriods } from './local-periods.js';

/** The operator's ceilings on reads of one subject by one recipient for one purpose, whatever its consents say (CONTRACT.md §4). */
export interface CallTerms {
  readonly callsPerDayMax: number;
  readonly callsPerMonthMax: number;
  /** Days, weeks and months are those of one time zone. */
  readonly calendar: LocalPeriods;
}

/** Reads counted for one subject, recipient and purpose: in the local day and month of the last one. It outlives every consent. */
export interface CallBudget {
  readonly day: string;
  readonly dayCalls: number;
  readonly month: string;
  readonly monthCalls: number;
}

export const FULL_BUDGET: CallBudget = { day: '', dayCalls: 0, month: '', monthCalls: 0 };

/** Counts one read. Refuses 429 `consent.budget_exhausted` with the seconds until the day or month is over. */
export function spendCall(budget: CallBudget, { callsPerDayMax, callsPerMonthMax, calendar }: CallTerms, at: Date): CallBudget {
  const day = calendar.startOf('DAY', at);
  const month = calendar.startOf('MONTH', at);
  const dayCalls = budget.day === day ? budget.dayCalls : 0;
  const monthCalls = budget.month === month ? budget.monthCalls : 0;
  if (monthCalls >= callsPerMonthMax) throw exhausted(`callsPerMonthMax=${callsPerMonthMax}`, calendar.secondsToNext('MONTH', at));
  if (dayCalls >= callsPerDayMax) throw exhausted(`callsPerDayMax=${callsPerDayMax}`, calendar.secondsToNext('DAY', at));
  return { day, dayCalls: dayCalls + 1, month, monthCalls: monthCalls + 1 };
}

function exhausted(limit: string, retryAfterSeconds: number): Refusal {
  return new Refusal('throttled', 'consent.budget_exhausted', 'no more reads of this subject for this purpose for now', {
    limit,
    retryAfterSeconds,
  });
}

import type { Severity } from '#contract';
import type { LadderStep } from './standing.js';

/** One thing that a violation costs: the step, where it bites, how deep and for how long. */
export interface Sanction {
  readonly step: LadderStep;
  /** Empty: all services. */
  readonly services: readonly string[];
  /** LIMIT_CUT: what is left of every amount limit, in percent (0 to 99). */
  readonly limitPercent?: number;
  /** LIMIT_CUT: the most that any amount limit may be, in minor units of `currency`. With `limitPercent` the smaller of both counts. */
  readonly limitMinor?: bigint;
  readonly currency?: string;
  /** Days of 24 h from the moment the violation occurred; without it only clearance or the record's own validity ends it. */
  readonly days?: number;
}

/** What stands together at one height of the ladder. */
export interface Rung {
  readonly id: string;
  readonly sanctions: readonly Sanction[];
}

/** Within which an appeal is to be lodged and answered. */
export interface AppealTerms {
  /** Days of 24 h from the start of a restriction in which the subject may appeal. */
  readonly openDays: number;
  /** The answer is due at the end of this many business days after the day of the appeal. */
  readonly answerBusinessDays: number;
  /** Staff are reminded this many business days before the answer is due. */
  readonly remindBusinessDaysBefore: number;
  /** IANA name. */
  readonly timeZone: string;
  /** Local dates (YYYY-MM-DD) that are no business days; Saturdays and Sundays never are. */
  readonly holidays: readonly string[];
}

/**
 * What violations cost, as data (CONTRACT.md §6). A violation begins at the rung of its severity and climbs one rung for every earlier
 * violation of the same code that is still in force and occurred within `escalation.withinDays` before it; the last rung is the end.
 */
export interface Ladder {
  /** Who says so, kept with every restriction it imposes: `built-in` or `policy <version>`. */
  readonly name: string;
  /** The mildest first; at least one. */
  readonly rungs: readonly Rung[];
  /** The id of the rung where a violation of each severity begins. */
  readonly start: Readonly<Record<Severity, string>>;
  /** Absent: repetition does not climb. */
  readonly escalation?: { readonly withinDays: number };
  readonly appeal: AppealTerms;
}

const CREDIT_SERVICES = ['pay-later', 'credit-line', 'procurement-credit', 'working-capital'];

export const BUILT_IN_APPEAL: AppealTerms = {
  openDays: 30,
  answerBusinessDays: 10,
  remindBusinessDaysBefore: 2,
  timeZone: 'UTC',
  holidays: [],
};

/** Counts where the active policy brings no ladder of its own: violations stop services. */
export const BUILT_IN_LADDER: Ladder = {
  name: 'built-in',
  rungs: [
    { id: 'pay-later-stop', sanctions: [{ step: 'SERVICE_STOP', services: ['pay-later'], days: 90 }] },
    { id: 'credit-stop', sanctions: [{ step: 'SERVICE_STOP', services: CREDIT_SERVICES, days: 365 }] },
    { id: 'stop', sanctions: [{ step: 'SERVICE_STOP', services: [] }] },
  ],
  start: { MINOR: 'pay-later-stop', MAJOR: 'credit-stop', SEVERE: 'stop' },
  escalation: { withinDays: 365 },
  appeal: BUILT_IN_APPEAL,
};

import type { AppealTerms } from './ladder.js';

const DAY_MS = 86_400_000;
/** No zone is further from UTC, date-line changes included. */
const OFFSET_MS_MAX = 26 * 3_600_000;

/** The local days of one place, and which of them people work on. */
export class BusinessCalendar {
  private readonly format: Intl.DateTimeFormat;
  private readonly holidays: ReadonlySet<string>;

  /** Throws a RangeError for a zone that IANA does not list. */
  constructor({ timeZone, holidays }: Pick<AppealTerms, 'timeZone' | 'holidays'>) {
    this.format = new Intl.DateTimeFormat('en-CA', { timeZone, calendar: 'gregory', year: 'numeric', month: '2-digit', day: '2-digit' });
    this.holidays = new Set(holidays);
  }

  /** The end of the last of so many business days after the day of `at`; of 0, the end of that day itself. */
  endOfBusinessDay(at: Date, businessDays: number): Date {
    let day = Date.parse(this.localDate(at));
    for (let left = businessDays; left > 0;) {
      day += DAY_MS;
      if (this.isBusinessDay(day)) left -= 1;
    }
    return this.startOf(day + DAY_MS);
  }

  private isBusinessDay(day: number): boolean {
    const date = new Date(day);
    return date.getUTCDay() % 6 !== 0 && !this.holidays.has(dateText(day));
  }

  /** The first instant whose local date is this day or later: a day may lose its midnight to daylight saving. */
  private startOf(day: number): Date {
    let before = day - OFFSET_MS_MAX;
    let reached = day + OFFSET_MS_MAX;
    while (reached - before > 1) {
      const middle = Math.floor((before + reached) / 2);
      if (this.localDate(new Date(middle)) >= dateText(day)) reached = middle;
      else before = middle;
    }
    return new Date(reached);
  }

  private localDate(at: Date): string {
    return this.format.format(at);
  }
}

function dateText(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

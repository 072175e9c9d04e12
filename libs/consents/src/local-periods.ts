import type { ConsentPeriod } from '#contract';

const DAY_MS = 86_400_000;
/** No zone is further from UTC, date-line changes included. */
const OFFSET_MS_MAX = 26 * 3_600_000;

/** Calendar days, weeks (from Monday) and months of one time zone. */
export class LocalPeriods {
  private readonly format: Intl.DateTimeFormat;

  /** Throws a RangeError for a zone that IANA does not list. */
  constructor(timeZone: string) {
    this.format = new Intl.DateTimeFormat('en-CA', { timeZone, calendar: 'gregory', year: 'numeric', month: '2-digit', day: '2-digit' });
  }

  /** The first local date (YYYY-MM-DD) of the period that `at` is in. */
  startOf(period: ConsentPeriod, at: Date): string {
    const day = this.format.format(at);
    if (period === 'DAY') return day;
    if (period === 'MONTH') return `${day.slice(0, 8)}01`;
    const date = Date.parse(day);
    return dateText(date - ((new Date(date).getUTCDay() + 6) % 7) * DAY_MS);
  }

  /** Whole seconds until the next period begins, at least 1. */
  secondsToNext(period: ConsentPeriod, at: Date): number {
    return Math.max(1, Math.ceil((this.instantOf(this.nextStart(period, at)) - at.getTime()) / 1_000));
  }

  private nextStart(period: ConsentPeriod, at: Date): string {
    const start = this.startOf(period, at);
    if (period !== 'MONTH') return dateText(Date.parse(start) + (period === 'DAY' ? 1 : 7) * DAY_MS);
    return `${dateText(Date.parse(start) + 31 * DAY_MS).slice(0, 8)}01`;
  }

  /** The first instant whose local date is this day or later: a day may lose its midnight to daylight saving. */
  private instantOf(day: string): number {
    let before = Date.parse(day) - OFFSET_MS_MAX;
    let reached = Date.parse(day) + OFFSET_MS_MAX;
    while (reached - before > 1) {
      const middle = Math.floor((before + reached) / 2);
      if (this.format.format(middle) >= day) reached = middle;
      else before = middle;
    }
    return reached;
  }
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

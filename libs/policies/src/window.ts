export type WindowKind = 'TRANSACTION' | 'DAY' | 'WEEK' | 'MONTH' | 'LIFETIME';

/** The half-open time [start, end) in which spending is added up. */
export interface Window {
  readonly start: Date;
  readonly end: Date;
}

interface LocalDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** PostgreSQL keeps both exactly; nothing was spent before and nothing is spent after. */
export const LIFETIME: Window = { start: new Date('1970-01-01T00:00:00Z'), end: new Date('9999-12-31T00:00:00Z') };

/** No zone is further from UTC, daylight saving and date-line changes included. */
const OFFSET_MS_MAX = 26 * 3_600_000;

/**
 * The days, weeks (from Monday, ISO 8601) and months of one time zone. A window starts at the first instant that bears its first local
 * date, so a day that loses its midnight to daylight saving starts at one o'clock, and days of 23 or 25 hours are whole days.
 */
export class Calendar {
  private readonly format: Intl.DateTimeFormat;
  private readonly latest = new Map<WindowKind, Window>();

  /** Throws a RangeError for a zone that IANA does not list. */
  constructor(timeZone: string) {
    this.format = new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', year: 'numeric', month: 'numeric', day: 'numeric' });
  }

  /** The window of this kind that contains `at`. The latest answer is kept: nearly all questions are about the same day. */
  windowAt(kind: Exclude<WindowKind, 'TRANSACTION'>, at: Date): Window {
    const known = this.latest.get(kind);
    if (known && known.start <= at && at < known.end) return known;
    const window = kind === 'LIFETIME' ? LIFETIME : this.compute(kind, this.localDate(at));
    this.latest.set(kind, window);
    return window;
  }

  private compute(kind: 'DAY' | 'WEEK' | 'MONTH', { year, month, day }: LocalDate): Window {
    if (kind === 'MONTH') return { start: this.startOf(year, month, 1), end: this.startOf(year, month + 1, 1) };
    if (kind === 'DAY') return { start: this.startOf(year, month, day), end: this.startOf(year, month, day + 1) };
    const monday = day - ((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7);
    return { start: this.startOf(year, month, monday), end: this.startOf(year, month, monday + 7) };
  }

  /** The first instant whose local date is this day or later. Days beyond the month's ends count on. */
  private startOf(year: number, month: number, day: number): Date {
    const target = Date.UTC(year, month - 1, day);
    let before = target - OFFSET_MS_MAX;
    let reached = target + OFFSET_MS_MAX;
    while (reached - before > 1) {
      const middle = Math.floor((before + reached) / 2);
      const date = this.localDate(new Date(middle));
      if (Date.UTC(date.year, date.month - 1, date.day) >= target) reached = middle;
      else before = middle;
    }
    return new Date(reached);
  }

  private localDate(at: Date): LocalDate {
    const parts = { year: 0, month: 0, day: 0 };
    for (const { type, value } of this.format.formatToParts(at)) if (type in parts) parts[type as keyof LocalDate] = Number(value);
    return parts;
  }
}

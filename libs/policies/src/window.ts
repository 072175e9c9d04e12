export type CalendarKind = 'DAY' | 'WEEK' | 'MONTH' | 'LIFETIME';
export type WindowKind = 'TRANSACTION' | CalendarKind | 'ROLLING' | 'CUSTOM' | 'OPEN_EXPOSURE';

/** The half-open time [start, end) in which spending is added up. */
export interface Window {
  readonly start: Date;
  readonly end: Date;
}

/** Whether an instant lies in [start, end). As numbers: comparing Dates as they are costs tens of times more. */
export function covers({ start, end }: Window, at: Date): boolean {
  const instant = at.getTime();
  return start.getTime() <= instant && instant < end.getTime();
}

/** A day of the calendar, wherever it is that day. Months and days count from 1. */
export interface LocalDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Every so many days or months, from the first day of one of them. */
export interface Period {
  readonly unit: 'DAYS' | 'MONTHS';
  readonly count: number;
  readonly anchor: LocalDate;
}

/** PostgreSQL keeps both exactly; nothing was spent before and nothing is spent after. */
export const LIFETIME: Window = { start: new Date('1970-01-01T00:00:00Z'), end: new Date('9999-12-31T00:00:00Z') };

const DAY_MS = 86_400_000;

/** No zone is further from UTC, daylight saving and date-line changes included. */
const OFFSET_MS_MAX = 26 * 3_600_000;

/**
 * The days, weeks (from Monday, ISO 8601) and months of one time zone. A window starts at the first instant that bears its first local
 * date, so a day that loses its midnight to daylight saving starts at one o'clock, and days of 23 or 25 hours are whole days.
 */
export class Calendar {
  private readonly format: Intl.DateTimeFormat;
  private readonly latest = new Map<CalendarKind, Window>();

  /** Throws a RangeError for a zone that IANA does not list. */
  constructor(readonly timeZone: string) {
    this.format = new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', year: 'numeric', month: 'numeric', day: 'numeric' });
  }

  /** The window of this kind that contains `at`. The latest answer is kept: nearly all questions are about the same day. */
  windowAt(kind: CalendarKind, at: Date): Window {
    const known = this.latest.get(kind);
    if (known && covers(known, at)) return known;
    const window = kind === 'LIFETIME' ? LIFETIME : this.compute(kind, this.localDate(at));
    this.latest.set(kind, window);
    return window;
  }

  /** The custom period that contains `at`. Its months are counted from the anchor, so the 31st stays the month's last day. */
  periodAt(period: Period, at: Date): Window {
    const { year, month, day } = this.localDate(at);
    const [today, { anchor, count }] = [Date.UTC(year, month - 1, day), period];
    const passed =
      period.unit === 'DAYS'
        ? (today - Date.UTC(anchor.year, anchor.month - 1, anchor.day)) / DAY_MS
        : (year - anchor.year) * 12 + month - anchor.month;
    let index = Math.floor(passed / count);
    if (firstDay(period, index) > today) index--;
    return { start: this.instantOf(firstDay(period, index)), end: this.instantOf(firstDay(period, index + 1)) };
  }

  private compute(kind: 'DAY' | 'WEEK' | 'MONTH', { year, month, day }: LocalDate): Window {
    if (kind === 'MONTH') return { start: this.startOf(year, month, 1), end: this.startOf(year, month + 1, 1) };
    if (kind === 'DAY') return { start: this.startOf(year, month, day), end: this.startOf(year, month, day + 1) };
    const monday = day - ((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7);
    return { start: this.startOf(year, month, monday), end: this.startOf(year, month, monday + 7) };
  }

  /** Days beyond the month's ends count on. */
  private startOf(year: number, month: number, day: number): Date {
    return this.instantOf(Date.UTC(year, month - 1, day));
  }

  /** The first instant whose local date is this day (named by its midnight in UTC) or later. */
  private instantOf(target: number): Date {
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

/** Of the period `index` steps from the anchor's, as its midnight in UTC. A month too short for the anchor's day begins on its last day. */
function firstDay({ unit, count, anchor: { year, month, day } }: Period, index: number): number {
  if (unit === 'DAYS') return Date.UTC(year, month - 1, day + index * count);
  const first = month - 1 + index * count;
  const lastDay = new Date(Date.UTC(year, first + 1, 0)).getUTCDate();
  return Date.UTC(year, first, Math.min(day, lastDay));
}

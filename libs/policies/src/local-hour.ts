import { covers } from './window.js';

/** One hour of a local clock, as it is called there, and the instants [start, end) that it lasts: two hours where the clock goes back. */
export interface LocalHour {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 1 Monday to 7 Sunday (ISO 8601). */
  readonly weekday: number;
  readonly start: Date;
  readonly end: Date;
}

const MINUTE_MS = 60_000;

/** The hours of one time zone. The latest answer is kept: nearly all questions are about the same hour. */
export class LocalClock {
  private readonly format: Intl.DateTimeFormat;
  private latest: LocalHour | undefined;

  /** Throws a RangeError for a zone that IANA does not list. */
  constructor(timeZone: string) {
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric' } as const;
    this.format = new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', hourCycle: 'h23', ...parts });
  }

  hourAt(at: Date): LocalHour {
    const known = this.latest;
    if (known && covers(known, at)) return known;
    return (this.latest = this.compute(at.getTime()));
  }

  /** Clocks are set forward and back on the minute, so the hour's edges are found minute by minute, once in an hour. */
  private compute(at: number): LocalHour {
    const name = this.name(at);
    let start = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    let end = start + MINUTE_MS;
    while (this.name(start - 1) === name) start -= MINUTE_MS;
    while (this.name(end) === name) end += MINUTE_MS;
    const [year, month, day, hour] = name.split(' ').map(Number) as [number, number, number, number];
    const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
    return { year, month, day, hour, weekday, start: new Date(start), end: new Date(end) };
  }

  private name(at: number): string {
    const parts = new Map(this.format.formatToParts(at).map(({ type, value }) => [type as string, value]));
    return ['year', 'month', 'day', 'hour'].map((type) => parts.get(type)).join(' ');
  }
}

import type { LimitDocument } from './document.js';
import { type Calendar, covers, LIFETIME, type LocalDate, type Period, type Window } from './window.js';

/**
 * Where a limit's usage is written at some time, [start, end), and from when on rows count together with it. Calendar windows, custom
 * periods and open exposure are one row: from = start. A rolling window is the row of the current grain and those of the grains before.
 */
export interface Reach extends Window {
  readonly from: Date;
  /** When nothing that counts now will count any more, if nothing is added. Undefined: never by time alone. */
  readonly resetAt: Date | undefined;
}

export type Span = (at: Date) => Reach;

/** A rolling window is kept in so many rows where its document names no grain, and in so many at most. */
const rollingGrainsDefault = 48;
const rollingGrainsMax = 100;
const rollingDaysMax = 400;

const DAY_MS = 86_400_000;

/** What is wrong with the fields that describe a window: the field and why. */
export interface WindowFault {
  readonly field: 'length' | 'grain' | 'every' | 'anchor';
  readonly message: string;
}

type WindowFields = Pick<LimitDocument, 'window' | 'length' | 'grain' | 'every' | 'anchor'>;

const NEEDED: Readonly<Partial<Record<LimitDocument['window'], readonly WindowFault['field'][]>>> = {
  ROLLING: ['length'],
  CUSTOM: ['every', 'anchor'],
};
const ALLOWED: typeof NEEDED = { ...NEEDED, ROLLING: ['length', 'grain'] };

export function findWindowFaults(limit: WindowFields): WindowFault[] {
  const [needed, allowed] = [NEEDED[limit.window] ?? [], ALLOWED[limit.window] ?? []];
  const fields = ['length', 'grain', 'every', 'anchor'] as const;
  const strange = fields.filter((field) => limit[field] !== undefined && !allowed.includes(field));
  const missing = needed.filter((field) => limit[field] === undefined);
  if (strange.length + missing.length > 0) {
    return [
      ...strange.map((field) => ({ field, message: `a window ${limit.window} has no ${field}` })),
      ...missing.map((field) => ({ field, message: `a window ${limit.window} needs its ${field}` })),
    ];
  }
  if (limit.window === 'ROLLING') return rollingFaults(limit);
  return limit.window === 'CUSTOM' && !readDate(limit.anchor!) ? [{ field: 'anchor', message: 'no such day' }] : [];
}

function rollingFaults({ length, grain }: WindowFields): WindowFault[] {
  const lengthMs = readLength(length!);
  if (lengthMs === 0 || lengthMs > rollingDaysMax * DAY_MS) {
    return [{ field: 'length', message: `a rolling window lasts from one minute to ${rollingDaysMax} days` }];
  }
  if (grain === undefined) return [];
  const grainMs = readLength(grain);
  if (grainMs > 0 && lengthMs % grainMs === 0 && lengthMs / grainMs <= rollingGrainsMax) return [];
  return [{ field: 'grain', message: `the length is to be a whole number of grains, ${rollingGrainsMax} at most` }];
}

/** Equal where windows of the same kind begin and end together, whatever words their documents use. */
export function windowKey({ length, grain, every, anchor }: WindowFields): string {
  return [length && readLength(length), grain && readLength(grain), every, anchor].join(' ');
}

/** How the windows of one limit lie. Takes fields without fault. */
export function spanOf(limit: WindowFields, calendar: Calendar): Span {
  switch (limit.window) {
    case 'TRANSACTION':
    case 'OPEN_EXPOSURE':
    case 'LIFETIME':
      return () => ALWAYS;
    case 'ROLLING':
      return rollingSpan(readLength(limit.length!), limit.grain === undefined ? undefined : readLength(limit.grain));
    case 'CUSTOM': {
      const period = readPeriod(limit.every!, limit.anchor!);
      return kept((at) => whole(calendar.periodAt(period, at)));
    }
    default: {
      const kind = limit.window;
      return kept((at) => whole(calendar.windowAt(kind, at)));
    }
  }
}

const ALWAYS: Reach = { ...LIFETIME, from: LIFETIME.start, resetAt: undefined };

function whole({ start, end }: Window): Reach {
  return { from: start, start, end, resetAt: end };
}

/**
 * Conservative: every grain that the window touches counts whole, so no stretch of time as long as the window ever holds more than the
 * limit, and what was spent counts for up to one grain longer. Grains are of equal length and lie on multiples of it since 1970 in UTC.
 */
function rollingSpan(lengthMs: number, grainMs = lengthMs / rollingGrainsDefault): Span {
  return kept((at) => {
    const start = Math.floor(at.getTime() / grainMs) * grainMs;
    const end = start + grainMs;
    return { from: new Date(start - lengthMs), start: new Date(start), end: new Date(end), resetAt: new Date(end + lengthMs) };
  });
}

/** Remembers the latest: nearly all questions are about the same window. */
function kept(compute: Span): Span {
  let latest: Reach | undefined;
  return (at) => {
    if (!latest || !covers(latest, at)) latest = compute(at);
    return latest;
  };
}

/** ISO 8601 weeks, days, hours and minutes in milliseconds; a day is 24 hours. */
function readLength(text: string): number {
  const [, weeks = 0, days = 0, hours = 0, minutes = 0] = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$/.exec(text)!;
  return (((Number(weeks) * 7 + Number(days)) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000;
}

function readPeriod(every: string, anchor: string): Period {
  const [, digits, letter] = /^P(\d+)([DWMY])$/.exec(every) as unknown as [string, string, 'D' | 'W' | 'M' | 'Y'];
  const [unit, times] = ({ D: ['DAYS', 1], W: ['DAYS', 7], M: ['MONTHS', 1], Y: ['MONTHS', 12] } as const)[letter];
  return { unit, count: Number(digits) * times, anchor: readDate(anchor)! };
}

function readDate(text: string): LocalDate | undefined {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? { year, month, day } : undefined;
}

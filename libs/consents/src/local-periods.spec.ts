import { describe, expect, it } from 'vitest';
import type { ConsentPeriod } from '#contract';
import { LocalPeriods } from './local-periods.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;

describe('local days, weeks and months', () => {
  const rows: [zone: string, at: string, period: ConsentPeriod, start: string, secondsToNext: number][] = [
    ['Asia/Shanghai', '2026-11-22T15:59:59.000Z', 'DAY', '2026-11-22', 1],
    ['Asia/Shanghai', '2026-11-22T16:00:00.000Z', 'DAY', '2026-11-23', DAY],
    ['Asia/Shanghai', '2026-11-22T08:00:00.000Z', 'WEEK', '2026-11-16', 8 * HOUR],
    ['Asia/Shanghai', '2026-11-22T16:00:00.000Z', 'WEEK', '2026-11-23', 7 * DAY],
    ['Asia/Shanghai', '2026-11-30T15:00:00.000Z', 'MONTH', '2026-11-01', HOUR],
    ['Asia/Shanghai', '2027-01-31T16:00:00.000Z', 'MONTH', '2027-02-01', 28 * DAY],
    ['UTC', '2026-12-31T23:59:59.500Z', 'MONTH', '2026-12-01', 1],
    // The clock goes back in the night to the 1st of November, and forward in that to the 8th of March.
    ['America/New_York', '2026-11-01T04:00:00.000Z', 'DAY', '2026-11-01', 25 * HOUR],
    ['America/New_York', '2026-03-08T05:00:00.000Z', 'DAY', '2026-03-08', 23 * HOUR],
  ];
  it.each(rows)('in %s at %s a %s began on %s and ends in %d s', (zone, at, period, start, seconds) => {
    const periods = new LocalPeriods(zone);
    expect([periods.startOf(period, new Date(at)), periods.secondsToNext(period, new Date(at))]).toEqual([start, seconds]);
  });
});

import { describe, expect, it } from 'vitest';
import { Calendar } from './window.js';

type Row = [zone: string, kind: 'DAY' | 'WEEK' | 'MONTH', at: string, start: string, end: string, hours: number];

const ROWS: Row[] = [
  ['Asia/Shanghai', 'DAY', '2026-11-21T15:59:59.999Z', '2026-11-20T16:00:00.000Z', '2026-11-21T16:00:00.000Z', 24],
  ['Asia/Shanghai', 'DAY', '2026-11-21T16:00:00.000Z', '2026-11-21T16:00:00.000Z', '2026-11-22T16:00:00.000Z', 24],
  ['Asia/Shanghai', 'WEEK', '2026-11-22T15:59:59.999Z', '2026-11-15T16:00:00.000Z', '2026-11-22T16:00:00.000Z', 168],
  ['Asia/Shanghai', 'MONTH', '2028-02-29T12:00:00.000Z', '2028-01-31T16:00:00.000Z', '2028-02-29T16:00:00.000Z', 696],
  ['UTC', 'MONTH', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z', 744],
  // Daylight saving: spring forward and fall back, a midnight that does not exist (Beirut), a half-hour zone (Lord Howe).
  ['Europe/Berlin', 'DAY', '2026-03-29T12:00:00.000Z', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z', 23],
  ['Europe/Berlin', 'DAY', '2026-10-25T00:30:00.000Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 25],
  ['Europe/Berlin', 'DAY', '2026-10-25T01:30:00.000Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 25],
  ['Europe/Berlin', 'WEEK', '2026-10-25T22:59:59.999Z', '2026-10-18T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 169],
  ['Europe/Berlin', 'MONTH', '2026-03-15T00:00:00.000Z', '2026-02-28T23:00:00.000Z', '2026-03-31T22:00:00.000Z', 743],
  ['Asia/Beirut', 'DAY', '2026-03-29T12:00:00.000Z', '2026-03-28T22:00:00.000Z', '2026-03-29T21:00:00.000Z', 23],
  ['Australia/Lord_Howe', 'DAY', '2026-04-05T03:00:00.000Z', '2026-04-04T13:00:00.000Z', '2026-04-05T13:30:00.000Z', 24.5],
  ['Pacific/Kiritimati', 'DAY', '2026-01-01T09:59:59.999Z', '2025-12-31T10:00:00.000Z', '2026-01-01T10:00:00.000Z', 24],
];

describe('a calendar window', () => {
  it.each(ROWS)('%s %s at %s', (zone, kind, at, start, end, hours) => {
    const window = new Calendar(zone).windowAt(kind, new Date(at));
    expect([window.start.toISOString(), window.end.toISOString()]).toEqual([start, end]);
    expect((window.end.getTime() - window.start.getTime()) / 3_600_000).toBe(hours);
  });

  it.each(['Europe/Berlin', 'America/New_York', 'Asia/Beirut', 'Australia/Lord_Howe', 'America/Havana', 'Asia/Shanghai'])(
    'leaves no gap and no overlap through a year of %s',
    (zone) => {
      const calendar = new Calendar(zone);
      let window = calendar.windowAt('DAY', new Date('2026-01-01T12:00:00Z'));
      for (let day = 0; day < 365; day++) {
        const next = new Calendar(zone).windowAt('DAY', window.end);
        expect(next.start).toEqual(window.end);
        expect(calendar.windowAt('DAY', new Date(window.end.getTime() - 1))).toEqual(window);
        window = next;
      }
    },
    30_000,
  );

  it('of a lifetime never resets, and an unknown zone is no zone', () => {
    expect(new Calendar('UTC').windowAt('LIFETIME', new Date()).start.getTime()).toBe(0);
    expect(() => new Calendar('Mars/Olympus')).toThrow(RangeError);
  });
});

import { describe, expect, it } from 'vitest';
import { BusinessCalendar } from './business-days.js';

describe('the end of a business day', () => {
  const rows: [timeZone: string, holidays: string[], at: string, days: number, end: string][] = [
    ['UTC', [], '2026-11-20T09:00:00Z', 0, '2026-11-21T00:00:00Z'],
    // From a Friday: the weekend does not count.
    ['UTC', [], '2026-11-20T09:00:00Z', 1, '2026-11-24T00:00:00Z'],
    ['UTC', [], '2026-11-21T09:00:00Z', 1, '2026-11-24T00:00:00Z'],
    ['UTC', [], '2026-11-16T00:00:00Z', 10, '2026-12-01T00:00:00Z'],
    ['UTC', ['2026-11-23'], '2026-11-20T09:00:00Z', 1, '2026-11-25T00:00:00Z'],
    // A holiday on a Saturday costs nothing.
    ['UTC', ['2026-11-21'], '2026-11-20T09:00:00Z', 1, '2026-11-24T00:00:00Z'],
    // Already Saturday in Shanghai.
    ['Asia/Shanghai', [], '2026-11-20T16:00:00Z', 1, '2026-11-23T16:00:00Z'],
    // Over the night on which clocks go back in Berlin, and the one in São Paulo's past that had no midnight.
    ['Europe/Berlin', [], '2026-10-23T10:00:00Z', 1, '2026-10-26T23:00:00Z'],
    ['America/Sao_Paulo', ['2018-11-05'], '2018-11-02T12:00:00Z', 1, '2018-11-07T02:00:00Z'],
  ];

  it.each(rows)('%s, without %j: from %s, %i days: %s', (timeZone, holidays, at, days, end) => {
    expect(new BusinessCalendar({ timeZone, holidays }).endOfBusinessDay(new Date(at), days)).toEqual(new Date(end));
  });

  it('knows no zone that IANA does not list', () => {
    expect(() => new BusinessCalendar({ timeZone: 'Mars/Olympus', holidays: [] })).toThrow(RangeError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LimitDocument } from './document.js';
import { LocalClock } from './local-hour.js';
import { findWindowFaults, type Reach, spanOf } from './span.js';
import { Calendar } from './window.js';

type Fields = Pick<LimitDocument, 'window' | 'length' | 'grain' | 'every' | 'anchor'>;

const reach = (fields: Fields, at: string, zone = 'Europe/Berlin'): Reach => spanOf(fields, new Calendar(zone))(new Date(at));
const told = ({ from, start, end, resetAt }: Reach) => [from, start, end, resetAt].map((instant) => instant?.toISOString().slice(0, 16));
const HOUR_MS = 3_600_000;
const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Asia/Beirut',
  'Australia/Lord_Howe',
  'America/Havana',
  'Asia/Shanghai',
  'Pacific/Apia',
];
const instants = fc.date({ min: new Date('2024-01-01T00:00:00Z'), max: new Date('2028-01-01T00:00:00Z'), noInvalidDate: true });

describe('a window', () => {
  it.each<[name: string, fields: Fields, at: string, expected: (string | undefined)[]]>([
    [
      'of the calendar',
      { window: 'DAY' },
      '2026-10-25T12:00Z',
      ['2026-10-24T22:00', '2026-10-24T22:00', '2026-10-25T23:00', '2026-10-25T23:00'],
    ],
    [
      'that rolls, in a 48th of its length',
      { window: 'ROLLING', length: 'P1D' },
      '2026-10-25T12:10Z',
      ['2026-10-24T12:00', '2026-10-25T12:00', '2026-10-25T12:30', '2026-10-26T12:30'],
    ],
    [
      'that rolls, in grains of its own',
      { window: 'ROLLING', length: 'P1W', grain: 'P1D' },
      '2026-10-25T12:10Z',
      ['2026-10-18T00:00', '2026-10-25T00:00', '2026-10-26T00:00', '2026-11-02T00:00'],
    ],
    [
      'of ten days',
      { window: 'CUSTOM', every: 'P10D', anchor: '2026-10-20' },
      '2026-10-25T12:00Z',
      ['2026-10-19T22:00', '2026-10-19T22:00', '2026-10-29T23:00', '2026-10-29T23:00'],
    ],
    [
      'of ten days, before its anchor',
      { window: 'CUSTOM', every: 'P10D', anchor: '2026-11-09' },
      '2026-10-25T12:00Z',
      ['2026-10-19T22:00', '2026-10-19T22:00', '2026-10-29T23:00', '2026-10-29T23:00'],
    ],
    [
      'of two weeks',
      { window: 'CUSTOM', every: 'P2W', anchor: '2026-10-26' },
      '2026-10-25T22:59Z',
      ['2026-10-11T22:00', '2026-10-11T22:00', '2026-10-25T23:00', '2026-10-25T23:00'],
    ],
    [
      'of a month from the 31st',
      { window: 'CUSTOM', every: 'P1M', anchor: '2026-01-31' },
      '2026-02-28T12:00Z',
      ['2026-02-27T23:00', '2026-02-27T23:00', '2026-03-30T22:00', '2026-03-30T22:00'],
    ],
    [
      'of a quarter',
      { window: 'CUSTOM', every: 'P3M', anchor: '2026-01-15' },
      '2026-01-14T22:59Z',
      ['2025-10-14T22:00', '2025-10-14T22:00', '2026-01-14T23:00', '2026-01-14T23:00'],
    ],
    [
      'of a leap year',
      { window: 'CUSTOM', every: 'P1Y', anchor: '2024-02-29' },
      '2026-03-01T12:00Z',
      ['2026-02-27T23:00', '2026-02-27T23:00', '2027-02-27T23:00', '2027-02-27T23:00'],
    ],
    ['of a lifetime', { window: 'LIFETIME' }, '2026-10-25T12:00Z', ['1970-01-01T00:00', '1970-01-01T00:00', '9999-12-31T00:00', undefined]],
    [
      'of what is open',
      { window: 'OPEN_EXPOSURE' },
      '2026-10-25T12:00Z',
      ['1970-01-01T00:00', '1970-01-01T00:00', '9999-12-31T00:00', undefined],
    ],
  ])('%s', (_name, fields, at, expected) => {
    expect(told(reach(fields, at))).toEqual(expected);
  });

  it('that rolls never lets a stretch of its length hold more than counts, nor keeps anything longer than a grain beyond', () => {
    const lengths = fc.constantFrom<[string, string | undefined, number]>(
      ['PT1H', undefined, 1],
      ['P1D', undefined, 24],
      ['P7D', 'PT4H', 168],
      ['P30D', 'P1D', 720],
      ['PT10M', 'PT10M', 1 / 6],
    );
    fc.assert(
      fc.property(lengths, instants, fc.double({ min: 0, max: 1.2, noNaN: true }), ([length, grain, hours], spent, share) => {
        const span = spanOf({ window: 'ROLLING', length, grain }, new Calendar('UTC'));
        const lengthMs = hours * HOUR_MS;
        const later = new Date(spent.getTime() + Math.floor(share * lengthMs));
        const [row, now] = [span(spent), span(later)];
        const isCounted = now.from <= row.start && row.start <= now.start;
        if (later.getTime() - spent.getTime() < lengthMs) expect(isCounted).toBe(true);
        const grainMs = row.end.getTime() - row.start.getTime();
        if (later.getTime() - spent.getTime() >= lengthMs + grainMs) expect(isCounted).toBe(false);
        expect(row.resetAt!.getTime() - spent.getTime()).toBeLessThanOrEqual(lengthMs + grainMs);
        // At its reset the row counts no more, and a millisecond before it still does.
        expect(span(row.resetAt!).from > row.start).toBe(true);
        expect(span(new Date(row.resetAt!.getTime() - 1)).from > row.start).toBe(false);
      }),
    );
  });

  it.each(ZONES)('of a custom period leaves no gap and no overlap in %s, clock changes included', (zone) => {
    const periods = fc.record({
      every: fc.constantFrom('P1D', 'P3D', 'P10D', 'P2W', 'P1M', 'P5M', 'P1Y'),
      anchor: fc.constantFrom('2026-01-31', '2024-02-29', '2026-03-29', '2026-10-25', '2030-12-31'),
    });
    fc.assert(
      fc.property(periods, instants, (period, at) => {
        const span = () => spanOf({ window: 'CUSTOM', ...period }, new Calendar(zone));
        const { start, end } = span()(at);
        expect(start <= at && at < end).toBe(true);
        expect(span()(new Date(end.getTime() - 1))).toMatchObject({ start, end });
        expect(span()(end).start).toEqual(end);
        expect(span()(new Date(start.getTime() - 1)).end).toEqual(start);
      }),
      { numRuns: 40 },
    );
  });

  it('of one day is the calendar’s day', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), instants, (zone, at) => {
        const custom = spanOf({ window: 'CUSTOM', every: 'P1D', anchor: '2026-01-01' }, new Calendar(zone));
        expect(custom(at)).toEqual(spanOf({ window: 'DAY' }, new Calendar(zone))(at));
      }),
    );
  });

  it.each<[name: string, fields: Fields, ...faults: string[]]>([
    ['a good one', { window: 'ROLLING', length: 'P7D', grain: 'PT4H' }],
    ['a day with a length', { window: 'DAY', length: 'P7D' }, 'length'],
    ['one that rolls without length', { window: 'ROLLING' }, 'length'],
    ['one that rolls with an anchor', { window: 'ROLLING', length: 'P7D', anchor: '2026-01-01' }, 'anchor'],
    ['one that rolls for no time', { window: 'ROLLING', length: 'PT0M' }, 'length'],
    ['one that rolls for years', { window: 'ROLLING', length: 'P401D' }, 'length'],
    ['a grain that does not divide the length', { window: 'ROLLING', length: 'P7D', grain: 'PT5H' }, 'grain'],
    ['a grain that is too fine', { window: 'ROLLING', length: 'P7D', grain: 'PT1H' }, 'grain'],
    ['a grain of no time', { window: 'ROLLING', length: 'P7D', grain: 'PT0M' }, 'grain'],
    ['a custom one without anything', { window: 'CUSTOM' }, 'every', 'anchor'],
    ['an anchor that is no day', { window: 'CUSTOM', every: 'P1M', anchor: '2026-02-30' }, 'anchor'],
    ['open exposure with a grain', { window: 'OPEN_EXPOSURE', grain: 'P1D' }, 'grain'],
  ])('%s', (_name, fields, ...faults) => {
    expect(findWindowFaults(fields).map(({ field }) => field)).toEqual(faults);
  });
});

describe('an hour of the local clock', () => {
  it.each<[zone: string, at: string, name: [date: string, hour: number, weekday: number], start: string, end: string]>([
    ['Asia/Shanghai', '2026-11-21T15:59:59.999Z', ['2026-11-21', 23, 6], '2026-11-21T15:00', '2026-11-21T16:00'],
    ['Europe/Berlin', '2026-03-29T01:00:00.000Z', ['2026-3-29', 3, 7], '2026-03-29T01:00', '2026-03-29T02:00'],
    ['Europe/Berlin', '2026-10-25T01:30:00.000Z', ['2026-10-25', 2, 7], '2026-10-25T00:00', '2026-10-25T02:00'],
    ['Australia/Lord_Howe', '2026-04-04T15:10:00.000Z', ['2026-4-5', 1, 7], '2026-04-04T14:00', '2026-04-04T15:30'],
    ['Asia/Kathmandu', '2026-11-21T18:20:00.000Z', ['2026-11-22', 0, 7], '2026-11-21T18:15', '2026-11-21T19:15'],
  ])('%s at %s', (zone, at, [date, hour, weekday], start, end) => {
    const found = new LocalClock(zone).hourAt(new Date(at));
    expect([`${found.year}-${found.month}-${found.day}`, found.hour, found.weekday]).toEqual([date, hour, weekday]);
    expect([found.start, found.end].map((instant) => instant.toISOString().slice(0, 16))).toEqual([start, end]);
  });

  it('is the same at every instant of it, and another one beyond its edges', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), instants, (zone, at) => {
        const { start, end, ...name } = new LocalClock(zone).hourAt(at);
        const there = (instant: number) => {
          const { start: _start, end: _end, ...found } = new LocalClock(zone).hourAt(new Date(instant));
          return found;
        };
        expect(start <= at && at < end).toBe(true);
        expect([there(start.getTime()), there(end.getTime() - 1)]).toEqual([name, name]);
        expect([there(start.getTime() - 1), there(end.getTime())]).not.toContainEqual(name);
      }),
      { numRuns: 60 },
    );
  });
});

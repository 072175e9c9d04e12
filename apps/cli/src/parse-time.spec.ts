import { describe, expect, it } from 'vitest';
import { parseTime } from './parse-time.js';

describe('a time that is typed', () => {
  it.each([
    ['2026-12-01T00:00:00+08:00', '2026-11-30T16:00:00.000Z'],
    ['2026-12-01T00:00Z', '2026-12-01T00:00:00.000Z'],
    ['2028-02-29T23:59:59.999Z', '2028-02-29T23:59:59.999Z'],
  ])('%s is a moment', (text, expected) => {
    expect(parseTime(text).toISOString()).toBe(expected);
  });

  it.each([
    '2026-12-01',
    '2026-12-01T00:00',
    '2026-11-31T00:00:00Z',
    '2026-02-29T00:00Z',
    '2026-12-01T25:00Z',
    '2026-13-01T00:00Z',
    'tomorrow',
    '2026-12-01T00:00:00+8',
    '',
  ])('%j is none', (text) => {
    expect(() => parseTime(text)).toThrow(expect.objectContaining({ kind: 'malformed', code: 'time.malformed' }));
  });
});

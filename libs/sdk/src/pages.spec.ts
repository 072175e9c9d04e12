import { describe, expect, it } from 'vitest';
import { pagePath, rowsOf } from './pages.js';

describe('a list that comes in pages', () => {
  const pages: Readonly<Record<string, object>> = {
    '': { rows: [1, 2], next: 'b' },
    b: { rows: [], next: 'c' },
    c: { rows: [3] },
  };

  it('is taken to its end, an empty page in its midst or not, and no page before it is wanted', async () => {
    const asked: string[] = [];
    const list = rowsOf<number>(async (after = '') => {
      asked.push(after);
      return pages[after];
    }, 'rows');
    expect(asked).toEqual([]);
    expect([(await list.next()).value, (await list.next()).value, asked]).toEqual([1, 2, ['']]);
    expect([(await list.next()).value, (await list.next()).done, asked]).toEqual([3, true, ['', 'b', 'c']]);
  });

  it('is asked for with what is defined, escaped', () => {
    expect(pagePath('/v1/x', { sub: 'a&b', state: undefined }, undefined)).toBe('/v1/x?limit=200&sub=a%26b');
    expect(pagePath('/v1/x', {}, 'n')).toBe('/v1/x?limit=200&after=n');
  });
});

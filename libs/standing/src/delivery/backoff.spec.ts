import { describe, expect, it } from 'vitest';
import { backoffMs, deliveryLifeMs } from './backoff.js';

describe('how long to wait after the nth failure', () => {
  it.each([
    [1, 0, 0, 2_500],
    [1, 0.999, 0, 4_998],
    [2, 0.5, 0, 7_500],
    [10, 0.5, 0, 1_920_000],
    [11, 0, 0, 1_800_000],
    [50, 0.999, 0, 3_598_200],
    [5_000, 0, 0, 1_800_000],
  ])('%d failures, chance %d, asked for %d s: %d ms', (failures, chance, asked, ms) => {
    expect(backoffMs(failures, chance, asked)).toBe(ms);
  });

  it('is never less than the receiver asked for, and an hour is the most that it may ask for', () => {
    expect(backoffMs(1, 0, 120)).toBe(120_000);
    expect(backoffMs(1, 0, 1)).toBe(2_500);
    expect(backoffMs(1, 0, 999_999_999)).toBe(3_600_000);
    expect(backoffMs(1, 0, -5)).toBe(2_500);
  });

  it('tries an event some eighty times in three days', () => {
    let tries = 0;
    for (let ms = 0; ms < deliveryLifeMs; ms += backoffMs(++tries, 0.5));
    expect(tries).toBeGreaterThan(80);
    expect(tries).toBeLessThan(150);
  });
});

import { describe, expect, it } from 'vitest';
import { ArrivalRate } from './arrival-rate.js';

describe('the rate of arrivals', () => {
  it('is nothing before anybody came', () => {
    expect(new ArrivalRate(50).at(1_000)).toBe(0);
  });

  it('comes near what steady callers do, within a few times the memory', () => {
    const rate = new ArrivalRate(50);
    for (let ms = 0; ms < 250; ms += 0.25) rate.note(ms);
    expect(rate.at(250)).toBeGreaterThan(3.8);
    expect(rate.at(250)).toBeLessThan(4.2);
  });

  it('forgets', () => {
    const rate = new ArrivalRate(50);
    for (let caller = 0; caller < 100; caller++) rate.note(10);
    expect([rate.at(10), rate.at(60), rate.at(310)].map((perMs) => Math.round(perMs * 100) / 100)).toEqual([2, 0.74, 0]);
  });
});

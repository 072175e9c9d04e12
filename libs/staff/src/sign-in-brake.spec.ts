import { describe, expect, it } from 'vitest';
import { type Attempts, countAttempt, FORGET_MS, NAME_PATIENCE } from './sign-in-brake.js';

const START = new Date('2026-11-21T08:00:00Z');
const after = (ms: number) => new Date(START.getTime() + ms);
const failed = (failures: number): Attempts => ({ failures, lastFailedAt: START });

describe('the brake on guessing passwords', () => {
  it.each<[string, Attempts | undefined, number, { waitMs: number } | { failures: number }]>([
    ['counts a first attempt', undefined, 0, { failures: 1 }],
    ['lets four failures be followed at once', failed(4), 0, { failures: 5 }],
    ['waits 5 s after the fifth', failed(5), 0, { waitMs: 5_000 }],
    ['says how much of the wait is left', failed(5), 2_000, { waitMs: 3_000 }],
    ['lets the next through after the wait', failed(5), 5_000, { failures: 6 }],
    ['doubles', failed(7), 0, { waitMs: 20_000 }],
    ['never waits longer than 15 minutes', failed(500), 0, { waitMs: 900_000 }],
    ['forgets after an hour', failed(500), FORGET_MS, { failures: 1 }],
  ])('%s', (_, known, sinceMs, expected) => {
    const judged = countAttempt(known, after(sinceMs), NAME_PATIENCE);
    expect('next' in judged ? { failures: judged.next.failures } : judged).toEqual(expected);
  });
});

import { RateLimiterMemory } from 'rate-limiter-flexible';
import { describe, expect, it } from 'vitest';
import { CallLeases } from './call-leases.js';

/** A second that lasts as long as the test. */
const duration = 600;
const points = 100;

class Counting extends RateLimiterMemory {
  questions = 0;
  readonly wanted: unknown[] = [];
  override consume(...args: Parameters<RateLimiterMemory['consume']>) {
    this.questions++;
    this.wanted.push(args[1]);
    return super.consume(...args);
  }
}

const limiter = () =>
  new Counting({ points, duration, inMemoryBlockOnConsumed: points } as ConstructorParameters<typeof RateLimiterMemory>[0]);

/** All calls come in one moment, however slow the machine is. */
const standingStill = () => 1_000;

async function taken(processes: readonly CallLeases[], calls: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: calls }, (_, i) => processes[i % processes.length]!.take('bank-a')));
  return answers.filter((withoutMs) => withoutMs === 0).length;
}

describe('calls taken from the shared budget', () => {
  it('are never more than it, and by one process all of it, with fewer questions than calls', async () => {
    const shared = limiter();
    const leases = new CallLeases(shared, standingStill);
    expect(await taken([leases], points - 30)).toBe(points - 30);
    expect(await taken([leases], 50)).toBe(30);
    expect(await leases.take('bank-a')).toBeGreaterThan(0);
    expect(shared.questions).toBeLessThan(points / 2);
    expect(await leases.take('bank-b')).toBe(0);
  });

  it('are never more than it over many processes, whoever asks when', async () => {
    const shared = limiter();
    const processes = [1, 2, 3, 4].map(() => new CallLeases(shared, standingStill));
    const all = (await taken(processes, 3)) + (await taken(processes.slice(0, 1), 40)) + (await taken(processes, 3 * points));
    expect(all).toBeLessThanOrEqual(points);
    // What one has leased and nobody asks it for any more is all that may be left.
    expect(all).toBeGreaterThan(points - 4 * Math.ceil(points / 20));
  });

  it('are asked for in whole numbers, also where a lease ends in the moment that it began', async () => {
    const shared = limiter();
    const leases = new CallLeases(shared, () => 0);
    expect(await leases.take('bank-a')).toBe(0);
    expect(await taken([leases], 2 * points)).toBe(points - 1);
    // Refused, and asked again at once: nothing was used, and no time has passed.
    expect(await leases.take('bank-a')).toBeGreaterThan(0);
    expect(await leases.take('bank-a')).toBeGreaterThan(0);
    for (const wanted of shared.wanted) expect(wanted).toSatisfy((one) => Number.isInteger(one) && (one as number) > 0);
  });

  it('that nobody can count are an error to all who wait', async () => {
    const broken = Object.assign(limiter(), { consume: () => Promise.reject(new Error('gone')) });
    const leases = new CallLeases(broken, standingStill);
    expect(await Promise.allSettled([leases.take('bank-a'), leases.take('bank-a')])).toEqual([
      { status: 'rejected', reason: new Error('gone') },
      { status: 'rejected', reason: new Error('gone') },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { CallLane } from './call-lane.js';

const PACE = { intervalMs: 1, waitingMax: 3, waitMsMax: 60_000, calmMs: 1 };
const stays = () => false;
const always = () => Promise.resolve(0);

/** Enters so many, then lets the lane run to its end. @returns who came through, in the order they were told */
async function runFor(lane: CallLane, calls: readonly (() => boolean)[]): Promise<[call: number, isThrough: boolean][]> {
  const told: [number, boolean][] = [];
  const all = calls.map((isGone, call) => lane.enter(isGone).then((isThrough) => told.push([call, isThrough])));
  await new Promise<void>((closed) => void lane.run(0, closed));
  await Promise.all(all);
  return told;
}

describe('a lane for calls beyond the quota', () => {
  it('lets through one by one, in the order they came, not faster than the pace', async () => {
    const startMs = performance.now();
    const told = await runFor(new CallLane({ ...PACE, intervalMs: 40 }, always), [stays, stays, stays]);
    expect(told.map(([call]) => call)).toEqual([0, 1, 2]);
    expect(told.every(([, isThrough]) => isThrough)).toBe(true);
    // Two intervals, less what a pause that was too long may make good.
    expect(performance.now() - startMs).toBeGreaterThan(2 * 40 - 2 * 10);
  });

  it('turns away at once who is one too many', async () => {
    const lane = new CallLane(PACE, always);
    expect(await runFor(lane, [stays, stays, stays, stays])).toEqual([
      [3, false],
      [0, true],
      [1, true],
      [2, true],
    ]);
    expect(lane.refusedCalls).toBe(1);
  });

  it('waits where the budget is used up elsewhere, and asks again', async () => {
    const answers = [5, 5, 0];
    expect(await runFor(new CallLane(PACE, () => Promise.resolve(answers.shift() ?? 5)), [stays])).toEqual([[0, true]]);
    expect(answers).toEqual([]);
  });

  it('turns away who waited too long', async () => {
    const lane = new CallLane({ ...PACE, waitMsMax: 20 }, () => Promise.resolve(100));
    expect(await runFor(lane, [stays, stays])).toEqual([
      [0, false],
      [1, false],
    ]);
    expect(lane.refusedCalls).toBe(2);
  });

  it('spends nothing on who has hung up', async () => {
    let taken = 0;
    const take = () => Promise.resolve(taken++ * 0);
    expect(await runFor(new CallLane(PACE, take), [() => true, stays])).toEqual([
      [0, false],
      [1, true],
    ]);
    expect(taken).toBe(1);
  });

  it('goes on when the budget could not be asked', async () => {
    const answers = [() => Promise.reject(new Error('no connection')), always];
    expect(await runFor(new CallLane(PACE, () => answers.shift()!()), [stays])).toEqual([[0, true]]);
  });
});

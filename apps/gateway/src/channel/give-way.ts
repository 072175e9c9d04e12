import { setTimeout as delay } from 'node:timers/promises';

/** Who sends one call after another has pauses between them, and is there all the same. */
const presentMs = 250;
/** Work of the event loop on a large body between two rests: what a call that comes meanwhile waits for at most. */
const sliceMs = 2;
/** A rest, as a multiple of the work before it: the threads that read the lines take it to catch up, and then nothing. */
const restShare = 8;

/** When a small call came last: whoever works through gigabytes gives way to them. */
export class SmallCalls {
  private lastMs = -Infinity;

  constructor(readonly nowMs = () => performance.now()) {}

  arrive(): void {
    this.lastMs = this.nowMs();
  }

  get areComing(): boolean {
    return this.nowMs() - this.lastMs < presentMs;
  }
}

/**
 * Hands the pieces of a large body on: at full speed while nobody else calls, else with rests, so that a batch of one bank holds up no call of
 * another. Waiting for a piece is no work.
 */
export async function* giveWay<T>(
  pieces: AsyncIterable<T>,
  calls: SmallCalls,
  rest: (ms: number) => Promise<unknown> = delay,
): AsyncGenerator<T> {
  let workedMs = 0;
  for await (const piece of pieces) {
    const beganMs = calls.nowMs();
    yield piece;
    workedMs += calls.nowMs() - beganMs;
    if (workedMs < sliceMs) continue;
    if (calls.areComing) await rest(restShare * workedMs);
    workedMs = 0;
  }
}

import { setTimeout as delay } from 'node:timers/promises';

/** How a lane lets through. */
export interface LanePace {
  /** Between two calls. */
  readonly intervalMs: number;
  readonly waitingMax: number;
  /** Who waited so long is turned away. */
  readonly waitMsMax: number;
  /** A lane in which nobody waited for so long is closed. */
  readonly calmMs: number;
}

/** One call from the shared budget: 0 when it was taken, or how long there is none. */
export type TakeCall = () => Promise<number>;

const rushMsMax = 10;
const idleMs = 5;

interface Waiting {
  readonly sinceMs: number;
  readonly isGone: () => boolean;
  readonly tell: (isThrough: boolean) => void;
}

/**
 * The calls of one participant beyond its quota, let through one after another, evenly over the second, in the order they came. Waiting is
 * what slows a flood down: a connection carries one call at a time, and a call that waits costs nothing. A refusal told at once would be
 * followed by the next call, and others would pay for both.
 */
export class CallLane {
  private readonly waiting: Waiting[] = [];
  private refused = 0;

  constructor(
    private readonly pace: LanePace,
    private readonly take: TakeCall,
  ) {}

  /** Calls that were turned away so far. */
  get refusedCalls(): number {
    return this.refused;
  }

  /** True when it is the caller's turn; false when too many wait, or it waited too long. `isGone`: nobody waits for this one any more. */
  async enter(isGone: () => boolean): Promise<boolean> {
    if (this.waiting.length >= this.pace.waitingMax) {
      this.refused++;
      return false;
    }
    return await new Promise((tell) => this.waiting.push({ sinceMs: performance.now(), isGone, tell }));
  }

  /** Lets through until it is calm, beginning in `firstMs`; `closed` is told in the same breath, so that nobody enters a lane that has ended. */
  async run(firstMs: number, closed: () => void): Promise<void> {
    await this.pause(firstMs);
    let dueMs = performance.now();
    let calmSinceMs = dueMs;
    while (this.waiting.length > 0 || performance.now() - calmSinceMs < this.pace.calmMs) {
      const withoutMs = await this.letOneThrough();
      const nowMs = performance.now();
      if (this.waiting.length > 0) calmSinceMs = nowMs;
      // A pause that was too long is made good, but not by a rush.
      dueMs = Math.max(dueMs + this.pace.intervalMs, nowMs - rushMsMax);
      await this.pause(Math.max(withoutMs, dueMs - nowMs, this.waiting.length > 0 ? 0 : idleMs));
    }
    closed();
  }

  /** @returns for how long there are no more calls to take */
  private async letOneThrough(): Promise<number> {
    this.turnAway();
    if (this.waiting.length === 0) return 0;
    const withoutMs = await this.take().catch(() => this.pace.intervalMs);
    if (withoutMs === 0) this.waiting.shift()?.tell(true);
    return withoutMs;
  }

  /** In short steps where it is long: who waited too long is told in time. */
  private async pause(ms: number): Promise<void> {
    const stepMs = this.pace.waitMsMax / 10;
    const untilMs = performance.now() + ms;
    for (let leftMs = ms; leftMs >= 1; leftMs = untilMs - performance.now()) {
      await delay(Math.min(leftMs, stepMs), undefined, { ref: false });
      this.turnAway();
    }
  }

  private turnAway(): void {
    const nowMs = performance.now();
    const isOver = ({ sinceMs, isGone }: Waiting) => nowMs - sinceMs >= this.pace.waitMsMax || isGone();
    for (let first = this.waiting[0]; first && isOver(first); first = this.waiting[0]) {
      this.waiting.shift();
      this.refused++;
      first.tell(false);
    }
  }
}

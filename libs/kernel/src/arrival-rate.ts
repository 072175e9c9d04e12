/** How fast callers lately came. Each counts less the longer ago it was: after `memoryMs` a third, after five times that next to nothing. */
export class ArrivalRate {
  private weight = 0;
  private notedMs = 0;

  constructor(private readonly memoryMs: number) {}

  /** `nowMs`: on a clock that never goes back, as `performance.now()`. */
  note(nowMs: number): void {
    this.weight = this.weightAt(nowMs) + 1;
    this.notedMs = nowMs;
  }

  /** Arrivals for each millisecond. */
  at(nowMs: number): number {
    return this.weightAt(nowMs) / this.memoryMs;
  }

  private weightAt(nowMs: number): number {
    return this.weight * Math.exp((this.notedMs - nowMs) / this.memoryMs);
  }
}

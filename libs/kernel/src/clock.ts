/** Where time comes from. Rules never read a clock: they are handed `at`. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock for tests: stands still until moved. */
export class ManualClock implements Clock {
  constructor(private current: Date) {}

  now(): Date {
    return new Date(this.current);
  }

  set(at: Date): void {
    this.current = at;
  }

  advance(ms: number): void {
    this.current = new Date(this.current.getTime() + ms);
  }
}

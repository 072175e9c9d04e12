/** Random numbers that a seed repeats (mulberry32). Timing is the machine's own: a seed repeats what is asked, not who wins. */
export class Dice {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** In [0, 1). */
  roll(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.roll() < probability;
  }

  /** In [from, to], both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.roll() * (to - from + 1));
  }

  pick<T>(things: readonly T[]): T {
    return things[this.int(0, things.length - 1)]!;
  }
}

const secondMs = 1_000;

/** Lets through so many of each kind in a second, and counts the others. For kinds that are few, as codes are. */
export class Sparing {
  private readonly kinds = new Map<string, { untilMs: number; passed: number; leftOut: number }>();

  constructor(private readonly perSecondMax: number) {}

  /** How many of this kind were left out since the last that passed. Undefined: leave out this one as well. `nowMs`: on a clock that never goes back. */
  pass(kind: string, nowMs: number): number | undefined {
    const seen = this.kinds.get(kind) ?? { untilMs: 0, passed: 0, leftOut: 0 };
    this.kinds.set(kind, seen);
    if (nowMs >= seen.untilMs) Object.assign(seen, { untilMs: nowMs + secondMs, passed: 0 });
    if (seen.passed >= this.perSecondMax) {
      seen.leftOut++;
      return undefined;
    }
    seen.passed++;
    const { leftOut } = seen;
    seen.leftOut = 0;
    return leftOut;
  }
}

import { inOrder } from './matrix.js';

/** How often then, and how often under the other policy. */
export interface Pair {
  readonly was: number;
  readonly would: number;
}

/** Past this many different names the rest is counted under one. */
const namesMax = 500;
const OTHER_NAMES = '(others)';

/** How often each name occurred on either side. */
export class NamePairs {
  private readonly pairs = new Map<string, { was: number; would: number }>();

  add(was: readonly string[], would: readonly string[]): void {
    for (const name of was) this.at(name).was++;
    for (const name of would) this.at(name).would++;
  }

  merge(other: Readonly<Record<string, Pair>>): void {
    for (const [name, { was, would }] of Object.entries(other)) {
      const pair = this.at(name);
      pair.was += was;
      pair.would += would;
    }
  }

  toJson(): Record<string, Pair> {
    return Object.fromEntries(inOrder(this.pairs).map(([name, pair]) => [name, { ...pair }]));
  }

  private at(name: string): { was: number; would: number } {
    const kept = this.pairs.has(name) || this.pairs.size < namesMax ? name : OTHER_NAMES;
    const known = this.pairs.get(kept);
    const pair = known ?? { was: 0, would: 0 };
    if (!known) this.pairs.set(kept, pair);
    return pair;
  }
}

import type { Outcome } from '#contract';
import type { WouldBe } from './redecide.js';

/** How many, and how much in minor units. */
export interface Sum {
  readonly count: number;
  /** Minor units, decimal: sums may pass 2^53. */
  readonly minor: string;
}

/** One cell of the matrix: what was answered, what would have been. */
export interface Cell extends Sum {
  readonly was: Outcome;
  readonly would: WouldBe;
}

export class Total {
  private count = 0;
  private minor = 0n;

  add(count: number, minor: bigint): void {
    this.count += count;
    this.minor += minor;
  }

  toJson(): Sum {
    return { count: this.count, minor: this.minor.toString() };
  }
}

/** Counts and amounts by what was and what would have been. */
export class Matrix {
  private readonly totals = new Map<string, { readonly was: Outcome; readonly would: WouldBe; readonly total: Total }>();

  add(was: Outcome, would: WouldBe, count: number, minor: bigint): void {
    const name = `${was} ${would}`;
    const known = this.totals.get(name);
    const cell = known ?? { was, would, total: new Total() };
    if (!known) this.totals.set(name, cell);
    cell.total.add(count, minor);
  }

  merge(cells: readonly Cell[]): void {
    for (const { was, would, count, minor } of cells) this.add(was, would, count, BigInt(minor));
  }

  toJson(): Cell[] {
    return inOrder(this.totals).map(([, { was, would, total }]) => ({ was, would, ...total.toJson() }));
  }
}

/** A matrix for each name: a tier, a band. */
export class MatrixBy {
  private readonly matrices = new Map<string, Matrix>();

  at(name: string): Matrix {
    const matrix = this.matrices.get(name) ?? new Matrix();
    this.matrices.set(name, matrix);
    return matrix;
  }

  merge(other: Readonly<Record<string, readonly Cell[]>>): void {
    for (const [name, cells] of Object.entries(other)) this.at(name).merge(cells);
  }

  toJson(): Record<string, readonly Cell[]> {
    return Object.fromEntries(inOrder(this.matrices).map(([name, matrix]) => [name, matrix.toJson()]));
  }
}

/** By name, so that equal tallies are equal texts. */
export function inOrder<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

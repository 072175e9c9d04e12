import type { Bound, Item } from './bound.js';
import type { OrderedItems } from './fingerprint.js';

/** The items of a set that lie before a bound, as a set of their own. */
export class FirstItems implements OrderedItems {
  readonly size: number;

  constructor(
    private readonly items: OrderedItems,
    before: Bound,
  ) {
    this.size = items.rank(before);
  }

  rank(bound: Bound): number {
    return Math.min(this.size, this.items.rank(bound));
  }

  at(index: number): Item {
    return this.items.at(index);
  }

  ids(from: number, to: number): Uint8Array {
    return this.items.ids(from, to);
  }

  sum(from: number, to: number): Uint8Array {
    return this.items.sum(from, to);
  }
}

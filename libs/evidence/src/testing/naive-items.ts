import { type Bound, compareBounds, type Item } from '../negentropy/bound.js';
import type { OrderedItems } from '../negentropy/fingerprint.js';
import { packItem } from '../negentropy/tree-key.js';

const asBound = ({ timestamp, id }: Item): Bound => ({ timestamp, prefix: id });

/** The ordered set as one would write it on a napkin: a sorted list and big integers. It judges the tree. */
export class NaiveItems implements OrderedItems {
  private readonly items: readonly Item[];

  constructor(items: readonly Item[]) {
    this.items = items.toSorted((a, b) => compareBounds(asBound(a), asBound(b)));
  }

  get size(): number {
    return this.items.length;
  }

  rank(bound: Bound): number {
    return this.items.filter((item) => compareBounds(asBound(item), bound) < 0).length;
  }

  at(index: number): Item {
    return this.items[index]!;
  }

  ids(from: number, to: number): Uint8Array {
    return Buffer.concat(this.items.slice(from, to).map(({ id }) => id));
  }

  sum(from: number, to: number): Uint8Array {
    const total = this.items.slice(from, to).reduce((sum, { id }) => sum + littleEndian(id), 0n) % (1n << 256n);
    return Buffer.from(total.toString(16).padStart(64, '0'), 'hex').reverse();
  }
}

function littleEndian(id: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(id).reverse().toString('hex')}`);
}

/** As a page of a set is loaded; an item's place is its number here. */
export function packed(items: readonly Item[]): Uint8Array {
  return Buffer.concat(items.map(({ timestamp, id }, place) => packItem(timestamp, id, place)));
}

import { compareIds, type Key } from './tree-key.js';
import { addWords, idBytes, noSum, subtractWords, type Sum256, wordsPerId } from './sum256.js';

export const leafItemsMax = 64;
const childrenMax = 64;

/** Whoever holds it may change the nodes that bear it; to everybody else they are fixed. */
export type Edition = object;

export type Node = Leaf | Branch;

/** Up to 64 items, side by side in one buffer. */
export class Leaf {
  count = 0;
  readonly sum: Sum256 = noSum();
  readonly times: Float64Array;
  readonly places: Float64Array;
  readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  private readonly buffer = new ArrayBuffer(leafItemsMax * (16 + idBytes));

  constructor(readonly edition: Edition) {
    this.times = new Float64Array(this.buffer, 0, leafItemsMax);
    this.places = new Float64Array(this.buffer, leafItemsMax * 8, leafItemsMax);
    this.bytes = new Uint8Array(this.buffer, leafItemsMax * 16, leafItemsMax * idBytes);
    this.words = new Uint32Array(this.buffer, leafItemsMax * 16, leafItemsMax * wordsPerId);
  }

  first(): Leaf {
    return this;
  }

  copy(edition: Edition): Leaf {
    const leaf = new Leaf(edition);
    new Uint8Array(leaf.buffer).set(new Uint8Array(this.buffer));
    leaf.count = this.count;
    leaf.sum.set(this.sum);
    return leaf;
  }

  /** Where the first item stands that is not before the key. */
  lowerBound(key: Key): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isBefore(middle, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  isBefore(index: number, { time, id }: Key): boolean {
    const mine = this.times[index]!;
    return mine === time ? compareIds(this.bytes, index * idBytes, id) < 0 : mine < time;
  }

  has(index: number, { time, id }: Key): boolean {
    return index < this.count && this.times[index] === time && compareIds(this.bytes, index * idBytes, id) === 0;
  }

  id(index: number): Uint8Array {
    return this.bytes.subarray(index * idBytes, (index + 1) * idBytes);
  }

  addTo(sum: Sum256, from: number, to: number): void {
    for (let i = from; i < to; i++) addWords(sum, this.words, i * wordsPerId);
  }

  /** There is room. */
  insert(index: number, key: Key, place: number): void {
    this.move(index, index + 1);
    this.times[index] = key.time;
    this.places[index] = place;
    this.bytes.set(key.id, index * idBytes);
    this.count += 1;
    addWords(this.sum, this.words, index * wordsPerId);
  }

  remove(index: number): void {
    subtractWords(this.sum, this.words, index * wordsPerId);
    this.move(index + 1, index);
    this.count -= 1;
  }

  /** Moves what stands from `at` on into a new leaf. */
  split(at: number): Leaf {
    const right = new Leaf(this.edition);
    right.times.set(this.times.subarray(at, this.count));
    right.places.set(this.places.subarray(at, this.count));
    right.bytes.set(this.bytes.subarray(at * idBytes, this.count * idBytes));
    right.count = this.count - at;
    right.addTo(right.sum, 0, right.count);
    subtractWords(this.sum, right.sum);
    this.count = at;
    return right;
  }

  private move(from: number, to: number): void {
    this.times.copyWithin(to, from, this.count);
    this.places.copyWithin(to, from, this.count);
    this.bytes.copyWithin(to * idBytes, from * idBytes, this.count * idBytes);
  }
}

/** Up to 64 nodes with the count and the sum of all items below. */
export class Branch {
  count = 0;
  readonly sum: Sum256 = noSum();

  constructor(
    readonly edition: Edition,
    readonly children: Node[],
  ) {
    for (const child of children) {
      this.count += child.count;
      addWords(this.sum, child.sum);
    }
  }

  get isFull(): boolean {
    return this.children.length > childrenMax;
  }

  first(): Leaf {
    return this.children[0]!.first();
  }

  copy(edition: Edition): Branch {
    return new Branch(edition, [...this.children]);
  }

  /** The last child that does not begin behind the key; the first where all do. */
  childFor(key: Key): number {
    let [low, high] = [0, this.children.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const leaf = this.children[middle]!.first();
      if (leaf.isBefore(0, key) || leaf.has(0, key)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  split(at: number): Branch {
    const right = new Branch(this.edition, this.children.splice(at));
    this.count -= right.count;
    subtractWords(this.sum, right.sum);
    return right;
  }
}

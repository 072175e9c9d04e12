import { type Bound, boundBetween, END } from './bound.js';
import { fingerprintOf, type OrderedItems, type Sha256 } from './fingerprint.js';
import { MessageWriter } from './message.js';
import { idBytes } from './sum256.js';

/** A range that differs is cut into this many, or told id by id where it has fewer than twice as many items. */
const buckets = 16;
const idListItemsMax = 2 * buckets - 1;

/** What ends a message that is full: two ranges at most. */
const reserveBytes = 200;

export const frameBytesMin = 4_096;

/**
 * One message of at most `bytesMax` about a set. What does not fit is told as one fingerprint of all the rest, and comes in the messages
 * after it. Each method answers false where the message is full: the rest is told, and nothing more may be said.
 */
export class Frame {
  private readonly writer = new MessageWriter();
  /** What was said to be alike since the last range that was written. */
  private alikeTo: Bound | undefined;

  constructor(
    private readonly items: OrderedItems,
    private readonly sha256: Sha256,
    private readonly bytesMax: number,
  ) {}

  /** True while there is nothing to say but that all is alike. */
  get isEmpty(): boolean {
    return this.writer.length === 1;
  }

  message(): Uint8Array {
    return this.writer.message();
  }

  alike(upper: Bound): void {
    this.alikeTo = upper;
  }

  /** Tells the items [from, to) in smaller parts. */
  parts(from: number, to: number, upper: Bound): boolean {
    const [mark, alikeTo] = [this.writer.mark(), this.alikeTo];
    this.settle();
    if (to - from <= idListItemsMax) this.writer.ids(upper, this.items.ids(from, to));
    else this.fingerprints(from, to, upper);
    if (this.writer.length <= this.bytesMax - reserveBytes) return true;
    this.writer.rewind(mark);
    this.alikeTo = alikeTo;
    return this.endFrom(from);
  }

  /** Tells the items [from, to) id by id, as many as there is room for. */
  list(from: number, to: number, upper: Bound): boolean {
    this.settle();
    const room = Math.floor((this.bytesMax - reserveBytes - this.writer.length) / idBytes);
    if (to - from <= room) {
      this.writer.ids(upper, this.items.ids(from, to));
      return true;
    }
    const cut = from + Math.max(0, room);
    if (cut > from) this.writer.ids(this.boundOf(cut), this.items.ids(from, cut));
    return this.endFrom(cut);
  }

  private boundOf(index: number): Bound {
    const { timestamp, id } = this.items.at(index);
    return { timestamp, prefix: id };
  }

  private fingerprints(from: number, to: number, upper: Bound): void {
    const [size, extra] = [Math.floor((to - from) / buckets), (to - from) % buckets];
    for (let bucket = 0, start = from; bucket < buckets; bucket++) {
      const end = start + size + (bucket < extra ? 1 : 0);
      const bound = end === to ? upper : boundBetween(this.items.at(end - 1), this.items.at(end));
      this.writer.fingerprint(bound, fingerprintOf(this.items, start, end, this.sha256));
      start = end;
    }
  }

  private endFrom(index: number): false {
    this.settle();
    this.writer.fingerprint(END, fingerprintOf(this.items, index, this.items.size, this.sha256));
    return false;
  }

  private settle(): void {
    if (this.alikeTo) this.writer.skip(this.alikeTo);
    this.alikeTo = undefined;
  }
}

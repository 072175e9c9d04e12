import { Refusal } from '#kernel';

/** A varint of 2^53 - 1 has eight digits of base 128; no number of ours is larger (CONTRACT.md §2). */
const digitsMax = 8;

export const malformed = (detail: string): Refusal => new Refusal('malformed', 'reconcile.malformed', detail);

/** Reads a message from its beginning to its end, and never past it. Refuses 400 `reconcile.malformed`. */
export class MessageBytes {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    return this.take(1)[0]!;
  }

  /** A view, not a copy. */
  take(count: number): Uint8Array {
    if (count > this.left) throw malformed('the message ends in the middle of a range');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** Base 128, the most significant digit first, with as few digits as possible. */
  varint(): number {
    let value = 0;
    for (let digits = 1; ; digits++) {
      const byte = this.byte();
      if (digits === 1 && byte === 0x80) throw malformed('a varint begins with a digit of zero');
      value = value * 128 + (byte & 0x7f);
      if (digits > digitsMax || value > Number.MAX_SAFE_INTEGER) throw malformed('a varint is above 2^53 - 1');
      if (byte < 0x80) return value;
    }
  }
}

/** A varint's bytes; `value` is an integer of 0 to 2^53 - 1. */
export function encodeVarint(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.push((rest % 128) | 0x80);
  return digits.reverse();
}

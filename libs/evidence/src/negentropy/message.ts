import { type Bound, compareBounds, START } from './bound.js';
import { idBytes } from './sum256.js';
import { encodeVarint, malformed, MessageBytes } from './varint.js';

/** Negentropy protocol v1 (github.com/hoytech/negentropy, docs/negentropy-protocol-v1.md). */
export const PROTOCOL_VERSION = 0x61;
const VERSIONS_FROM = 0x60;
const VERSIONS_TO = 0x6f;

export const fingerprintBytes = 16;

const MODE = { skip: 0, fingerprint: 1, ids: 2 } as const;

/** A section of the ordered set, from the end of the one before it to `upper`, and what the sender says of it. */
export type Range =
  | { readonly mode: 'SKIP'; readonly upper: Bound }
  | { readonly mode: 'FINGERPRINT'; readonly upper: Bound; readonly fingerprint: Uint8Array }
  | { readonly mode: 'IDS'; readonly upper: Bound; readonly ids: Uint8Array };

/** The version a message is of. Refuses 400 `reconcile.malformed` where it is of none. */
export function versionOf(message: Uint8Array): number {
  const version = new MessageBytes(message).byte();
  if (version < VERSIONS_FROM || version > VERSIONS_TO) throw malformed('the first byte names no version of the protocol');
  return version;
}

/**
 * The ranges of a message of our version, one after another: nothing is kept but the one at hand, and views are given, not copies.
 * Refuses 400 `reconcile.malformed`: cut short, a range that ends before it begins or behind the end, an unknown mode, a prefix too long.
 */
export function* readRanges(message: Uint8Array): Generator<Range> {
  const bytes = new MessageBytes(message);
  bytes.byte();
  for (let lower = START; bytes.left > 0;) {
    if (lower.timestamp === Infinity) throw malformed('a range begins behind the end of the set');
    const upper = readBound(bytes, lower.timestamp);
    if (compareBounds(lower, upper) > 0) throw malformed('a range ends before it begins');
    yield readRange(bytes, upper);
    lower = upper;
  }
}

function readBound(bytes: MessageBytes, after: number): Bound {
  const encoded = bytes.varint();
  const timestamp = encoded === 0 ? Infinity : after + encoded - 1;
  if (encoded > 0 && timestamp > Number.MAX_SAFE_INTEGER) throw malformed('a timestamp is above 2^53 - 1');
  const length = bytes.varint();
  if (length > idBytes) throw malformed('the prefix of a bound is longer than an id');
  return { timestamp, prefix: bytes.take(length) };
}

function readRange(bytes: MessageBytes, upper: Bound): Range {
  const mode = bytes.varint();
  if (mode === MODE.skip) return { mode: 'SKIP', upper };
  if (mode === MODE.fingerprint) return { mode: 'FINGERPRINT', upper, fingerprint: bytes.take(fingerprintBytes) };
  if (mode !== MODE.ids) throw malformed('a range is of an unknown mode');
  const count = bytes.varint();
  // Said by the other side: compared with what is there before anything is multiplied or kept.
  if (count > bytes.left / idBytes) throw malformed('a list of ids is shorter than it says');
  return { mode: 'IDS', upper, ids: bytes.take(count * idBytes) };
}

/** Where a writer stood. */
export interface Mark {
  readonly length: number;
  readonly timestamp: number;
}

/** Writes one message. Bounds come in ascending order. */
export class MessageWriter {
  private bytes = new Uint8Array(1024);
  private timestamp = 0;
  length = 1;

  constructor() {
    this.bytes[0] = PROTOCOL_VERSION;
  }

  mark(): Mark {
    return { length: this.length, timestamp: this.timestamp };
  }

  /** Forgets what was written since. */
  rewind({ length, timestamp }: Mark): void {
    this.length = length;
    this.timestamp = timestamp;
  }

  skip(upper: Bound): void {
    this.range(upper, MODE.skip);
  }

  fingerprint(upper: Bound, fingerprint: Uint8Array): void {
    this.range(upper, MODE.fingerprint);
    this.write(fingerprint);
  }

  ids(upper: Bound, ids: Uint8Array): void {
    this.range(upper, MODE.ids);
    this.write(encodeVarint(ids.length / idBytes));
    this.write(ids);
  }

  message(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private range({ timestamp, prefix }: Bound, mode: number): void {
    if (timestamp === Infinity) {
      this.write([0]);
    } else {
      this.write(encodeVarint(timestamp - this.timestamp + 1));
      this.timestamp = timestamp;
    }
    this.write([prefix.length]);
    this.write(prefix);
    this.write([mode]);
  }

  private write(piece: ArrayLike<number>): void {
    const needed = this.length + piece.length;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(piece, this.length);
    this.length = needed;
  }
}

import { sameBytes } from '../bytes.js';
import type { Bound } from './bound.js';
import { fingerprintOf, type OrderedItems, type Sha256 } from './fingerprint.js';
import { Frame } from './frame.js';
import { PROTOCOL_VERSION, type Range, readRanges, versionOf } from './message.js';

/** One of the two that compare their sets. */
export interface Side {
  readonly items: OrderedItems;
  readonly sha256: Sha256;
  /** The longest message it sends: 4,096 or more. */
  readonly frameBytesMax: number;
}

/** So many ranges are answered before others may have their turn. */
const rangesPerStep = 256;

/**
 * Answers one message of the other side; nothing is remembered between two. Yields now and then, so that whoever runs it can let others go
 * first. A message of another version is answered with the one we speak. Refuses 400 `reconcile.malformed`.
 */
export function* respond(side: Side, message: Uint8Array): Generator<void, Uint8Array> {
  if (versionOf(message) !== PROTOCOL_VERSION) return Uint8Array.of(PROTOCOL_VERSION);
  const frame = new Frame(side.items, side.sha256, side.frameBytesMax);
  yield* answerRanges(side, message, frame, (_ids, from, to, upper) => frame.list(from, to, upper));
  return frame.message();
}

/** What a side does about a list of ids, and whether there is room for more. */
export type TakeIds = (ids: Uint8Array, from: number, to: number, upper: Bound) => boolean;

/** Walks the ranges of a message and says into `frame` what is to be said about each. Also what no room is left for is read to its end. */
export function* answerRanges(side: Side, message: Uint8Array, frame: Frame, takeIds: TakeIds): Generator<void, void> {
  let hasRoom = true;
  let from = 0;
  let count = 0;
  for (const range of readRanges(message)) {
    if (++count % rangesPerStep === 0) yield;
    if (!hasRoom) continue;
    const to = side.items.rank(range.upper);
    hasRoom = answerRange(side, range, { from, to }, frame, takeIds);
    from = to;
  }
}

function answerRange(
  { items, sha256 }: Side,
  range: Range,
  { from, to }: { readonly from: number; readonly to: number },
  frame: Frame,
  takeIds: TakeIds,
): boolean {
  if (range.mode === 'IDS') return takeIds(range.ids, from, to, range.upper);
  if (range.mode === 'FINGERPRINT' && !sameBytes(range.fingerprint, fingerprintOf(items, from, to, sha256))) {
    return frame.parts(from, to, range.upper);
  }
  frame.alike(range.upper);
  return true;
}

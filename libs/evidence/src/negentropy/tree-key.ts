import { idBytes } from './sum256.js';

/** Where an item stands in the order of the protocol: by time, then by id. */
export interface Key {
  readonly time: number;
  /** 32 bytes. */
  readonly id: Uint8Array;
}

/** Compares the id that begins at `at` with another, by the first byte that differs. */
export function compareIds(bytes: Uint8Array, at: number, id: Uint8Array): number {
  for (let i = 0; i < idBytes; i++) {
    const difference = bytes[at + i]! - id[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** An item of a set as it is kept and loaded: time (64 bits), id (32 bytes), place (64 bits), numbers with the high byte first. */
export const packedItemBytes = 8 + idBytes + 8;

const TWO_TO_32 = 0x1_0000_0000;

export function packItem(time: number, id: Uint8Array, place: number): Uint8Array {
  const packed = new Uint8Array(packedItemBytes);
  const view = new DataView(packed.buffer);
  writeNumber(view, 0, time);
  packed.set(id, 8);
  writeNumber(view, 8 + idBytes, place);
  return packed;
}

/** A number of 64 bits, at most 2^53 - 1. */
export function readNumber(view: DataView, at: number): number {
  return view.getUint32(at) * TWO_TO_32 + view.getUint32(at + 4);
}

function writeNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO_TO_32));
  view.setUint32(at + 4, value % TWO_TO_32);
}

// The program of a thread: hashes lines of a sealed batch and tells which of them will be refused.
import { hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { hashBytes } from '#evidence';
import { type Fault, faultOf } from '../batch/line-faults.js';

/** Whole tiles of lines, one after another, each line behind one byte that is free; `ends`: where each ends. */
export interface AskedTiles {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  /** Lines of a tile. */
  readonly width: number;
  readonly issuer: string;
}

/** The hash of each line and the hash over each tile (RFC 6962 §2.1), and the lines that no record can be made of, counted from 0. */
export interface ReadTiles {
  readonly leaves: Uint8Array;
  readonly roots: Uint8Array;
  readonly faults: readonly (readonly [index: number, fault: Fault])[];
}

function readTiles({ bytes, ends, width, issuer }: AskedTiles): ReadTiles {
  const leaves = new Uint8Array(ends.length * hashBytes);
  const faults: [number, Fault][] = [];
  for (let i = 0; i < ends.length; i++) {
    const from = i === 0 ? 0 : ends[i - 1]!;
    const fault = faultOf(bytes.subarray(from + 1, ends[i]), issuer);
    if (fault) faults.push([i, fault]);
    // These bytes are nobody else's: the one before a line becomes the prefix of its leaf.
    bytes[from] = 0;
    leaves.set(hash('sha256', bytes.subarray(from, ends[i]), 'buffer'), i * hashBytes);
  }
  return { leaves, roots: rootsOver(leaves, width), faults };
}

function rootsOver(leaves: Uint8Array, width: number): Uint8Array {
  const roots = new Uint8Array(leaves.length / width);
  const pair = new Uint8Array(1 + 2 * hashBytes);
  pair[0] = 1;
  for (let tile = 0; tile < roots.length / hashBytes; tile++) {
    const level = leaves.slice(tile * width * hashBytes, (tile + 1) * width * hashBytes);
    for (let nodes = width; nodes > 1; nodes /= 2) {
      for (let i = 0; i < nodes; i += 2) {
        pair.set(level.subarray(i * hashBytes, (i + 2) * hashBytes), 1);
        level.set(hash('sha256', pair, 'buffer'), (i / 2) * hashBytes);
      }
    }
    roots.set(level.subarray(0, hashBytes), tile * hashBytes);
  }
  return roots;
}

parentPort!.on('message', ({ id, asked }: { id: number; asked: AskedTiles }) => parentPort!.postMessage({ id, answer: readTiles(asked) }));

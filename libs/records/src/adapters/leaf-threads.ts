import type * as Crypto from 'node:crypto';
import { hashBytes, tileWidth } from '#evidence';
import { ThreadPool } from '#platform';

/** Lines one after another, each behind one byte that is free; `ends`: where each ends. */
interface Asked {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly width: number;
}

/** Of whole tiles of lines: the hash of each line, and the hash over each tile. */
export interface HashedTiles {
  readonly leaves: Uint8Array;
  readonly roots: Uint8Array;
}

/** RFC 6962 §2.1, on bytes that are nobody else's: the byte before a line becomes the prefix of its leaf. */
function hashTiles({ bytes, ends, width }: Asked, { hash }: typeof Crypto): HashedTiles {
  const size = 32;
  const [leaves, roots] = [new Uint8Array(ends.length * size), new Uint8Array((ends.length / width) * size)];
  for (let i = 0; i < ends.length; i++) {
    const from = i === 0 ? 0 : ends[i - 1]!;
    bytes[from] = 0;
    leaves.set(hash('sha256', bytes.subarray(from, ends[i]), 'buffer'), i * size);
  }
  const pair = new Uint8Array(1 + 2 * size);
  pair[0] = 1;
  for (let tile = 0; tile < roots.length / size; tile++) {
    const level = leaves.slice(tile * width * size, (tile + 1) * width * size);
    for (let nodes = width; nodes > 1; nodes /= 2) {
      for (let i = 0; i < nodes; i += 2) {
        pair.set(level.subarray(i * size, (i + 2) * size), 1);
        level.set(hash('sha256', pair, 'buffer'), (i / 2) * size);
      }
    }
    roots.set(level.subarray(0, size), tile * size);
  }
  return { leaves, roots };
}

/** Hashes lines of sealed batches on threads, as many tiles at a time as came together. */
export class LeafThreads {
  private readonly pool: ThreadPool<Asked, HashedTiles>;

  constructor(count?: number) {
    this.pool = new ThreadPool(hashTiles, count);
  }

  get size(): number {
    return this.pool.size;
  }

  /** `lines`: whole tiles of them. */
  async hash(lines: readonly Uint8Array[]): Promise<HashedTiles> {
    const bytes = new Uint8Array(lines.reduce((sum, line) => sum + 1 + line.length, 0));
    const ends = new Uint32Array(lines.length);
    let at = 0;
    for (const [i, line] of lines.entries()) {
      bytes.set(line, at + 1);
      ends[i] = at += 1 + line.length;
    }
    return await this.pool.ask({ bytes, ends, width: tileWidth }, [bytes.buffer, ends.buffer]);
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

export const rowsOf = (hashes: Uint8Array): Uint8Array[] =>
  Array.from({ length: hashes.length / hashBytes }, (_, i) => hashes.subarray(i * hashBytes, (i + 1) * hashBytes));

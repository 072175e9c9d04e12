import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashBytes, tileWidth } from '#evidence';
import { ThreadPool } from '#platform';
import type { AskedTiles, ReadTiles } from './line-thread.js';

/** Beside us, with our own ending: sources in tests, else what they were built to. */
const PROGRAM = path.join(import.meta.dirname, `line-thread${path.extname(fileURLToPath(import.meta.url))}`);

/** Reads and hashes lines of sealed batches on threads, as many tiles at a time as came together. */
export class LineThreads {
  private readonly pool: ThreadPool<AskedTiles, ReadTiles>;

  constructor(count?: number) {
    this.pool = new ThreadPool(PROGRAM, count);
  }

  get size(): number {
    return this.pool.size;
  }

  /** `lines`: whole tiles of them. */
  async read(lines: readonly Uint8Array[], issuer: string): Promise<ReadTiles> {
    const bytes = new Uint8Array(lines.reduce((sum, line) => sum + 1 + line.length, 0));
    const ends = new Uint32Array(lines.length);
    let at = 0;
    for (const [i, line] of lines.entries()) {
      bytes.set(line, at + 1);
      ends[i] = at += 1 + line.length;
    }
    return await this.pool.ask({ bytes, ends, width: tileWidth, issuer }, [bytes.buffer, ends.buffer]);
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

export const rowsOf = (hashes: Uint8Array): Uint8Array[] =>
  Array.from({ length: hashes.length / hashBytes }, (_, i) => hashes.subarray(i * hashBytes, (i + 1) * hashBytes));

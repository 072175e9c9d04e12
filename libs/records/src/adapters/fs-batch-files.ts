import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { formatId, Refusal, type ShardedId } from '#kernel';
import { batchBytesMax, batchLinesMax, type BatchFiles } from '../batch/batch.js';
import type { SpooledBatch } from '../batch/receive-batch.js';

const chunkBytes = 1024 * 1024;
const LF = 10;

export interface BatchLimits {
  readonly bytesMax: number;
  readonly linesMax: number;
}

/** Lines that wait, below `<TALLYSTICK_HOME>/batches`. Several gateways and workers share the folder. */
export class FsBatchFiles implements BatchFiles {
  constructor(
    private readonly folder: string,
    private readonly limits: BatchLimits = { bytesMax: batchBytesMax, linesMax: batchLinesMax },
  ) {}

  /**
   * Takes a body from the network in constant memory, without its transfer coding. Refuses 413 `batch.too_large`, 400 `batch.empty` and
   * `batch.coding_broken`, 415 `content_encoding.unsupported`.
   */
  async spool(body: AsyncIterable<Uint8Array>, encoding: string | undefined): Promise<SpooledBatch> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const file = path.join(this.folder, `${randomUUID()}.partial`);
    const handle = await open(file, 'wx', 0o600);
    try {
      const measured = await this.write(decoded(body, encoding), handle);
      await handle.sync();
      let place = file;
      const keepAs = async (id: ShardedId) => {
        await this.keep(file, id);
        place = this.pathOf(id);
      };
      return { ...measured, keepAs, discard: () => rm(place, { force: true }) };
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  }

  read(id: ShardedId, fromByte: number): AsyncIterable<Uint8Array> {
    return createReadStream(this.pathOf(id), { start: fromByte, highWaterMark: chunkBytes });
  }

  async discard(id: ShardedId): Promise<void> {
    await rm(this.pathOf(id), { force: true });
  }

  private async write(lines: AsyncIterable<Uint8Array>, handle: FileHandle) {
    const hash = createHash('sha256');
    const count = new LineCount();
    let sizeBytes = 0;
    for await (const piece of lines) {
      sizeBytes += piece.length;
      if (sizeBytes > this.limits.bytesMax) throw tooLarge(`batchBytesMax=${this.limits.bytesMax}`);
      hash.update(piece);
      count.add(piece);
      if (count.lines > this.limits.linesMax) throw tooLarge(`batchLinesMax=${this.limits.linesMax}`);
      await handle.writeFile(piece);
    }
    if (count.lines === 0) throw new Refusal('malformed', 'batch.empty', 'there is no line in it');
    return { sizeBytes, digest: hash.digest('hex'), linesTotal: count.lines };
  }

  /** Durable under its name before anybody is told of it. */
  private async keep(file: string, id: ShardedId): Promise<void> {
    await rename(file, this.pathOf(id));
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  private pathOf(id: ShardedId): string {
    return path.join(this.folder, `${formatId('bat', id)}.ndjson`);
  }
}

/** Counts lines that hold anything, as `splitLines` yields them. */
class LineCount {
  private ended = 0;
  /** Bytes of the line that is not ended, and whether they are one CR only. */
  private length = 0;
  private onlyReturn = false;

  get lines(): number {
    return this.ended + (this.holdsAnything() ? 1 : 0);
  }

  add(piece: Uint8Array): void {
    let from = 0;
    for (let at = piece.indexOf(LF); at >= 0; at = piece.indexOf(LF, from)) {
      this.take(piece, from, at);
      if (this.holdsAnything()) this.ended++;
      this.length = 0;
      from = at + 1;
    }
    this.take(piece, from, piece.length);
  }

  private take(piece: Uint8Array, from: number, to: number): void {
    if (to === from) return;
    this.onlyReturn = this.length === 0 && to - from === 1 && piece[from] === 13;
    this.length += to - from;
  }

  private holdsAnything(): boolean {
    return this.length > 0 && !this.onlyReturn;
  }
}

function decoded(body: AsyncIterable<Uint8Array>, encoding: string | undefined): AsyncIterable<Uint8Array> {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip') {
    throw new Refusal('unsupported_media', 'content_encoding.unsupported', 'send lines as they are or as gzip', {
      field: 'content-encoding',
    });
  }
  return unzipped(body);
}

async function* unzipped(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  const source = Readable.from(body);
  source.once('error', (error) => gunzip.destroy(error));
  try {
    for await (const piece of source.pipe(gunzip)) yield piece as Uint8Array;
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw error;
    throw new Refusal('malformed', 'batch.coding_broken', 'the body is not whole gzip', { field: 'content-encoding' });
  }
}

function tooLarge(limit: string): Refusal {
  return new Refusal('too_large', 'batch.too_large', 'send several batches', { limit });
}

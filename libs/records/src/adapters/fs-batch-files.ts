import { createHash, type Hash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { nodeCrypto, Prover, type RangeProof, TileNodes } from '#evidence';
import { formatId, parseId, Refusal, type ShardedId } from '#kernel';
import { batchBytesMax, type BatchFiles, batchLinesMax, type BatchState, type NewBatch, type RecordBatch } from '../batch/batch.js';
import { LinesMissing } from '../batch/lost-lines.js';
import type { SpooledBatch } from '../batch/receive-batch.js';
import { decodeBody } from './decode-body.js';
import { HashFiles, HashFilesWriter, moveHashFiles, removeHashFiles } from './hash-files.js';
import { LineThreads } from './line-threads.js';
import { measureSealed, measureSigned, type OpenManifest } from './measure-lines.js';

const chunkBytes = 1024 * 1024;
/** No upload takes so long: the door cuts it after six hours. */
const halfReceivedMsMax = 7 * 3_600_000;
/** 256^4 lines are far more than a batch may have: what a refused spool may have left behind is below this level. */
const hashesMax = 256 ** 4;

export interface BatchLimits {
  readonly bytesMax: number;
  readonly linesMax: number;
}

/** Lines that wait, below `<TALLYSTICK_HOME>/batches`, and the hashes over sealed ones. Several gateways and workers share the folder. */
export class FsBatchFiles implements BatchFiles {
  constructor(
    private readonly folder: string,
    private readonly limits: BatchLimits = { bytesMax: batchBytesMax, linesMax: batchLinesMax },
    private readonly threads = new LineThreads(),
  ) {}

  /**
   * Takes a body from the network in constant memory, without its transfer coding; with `openManifest` it is a sealed batch. Refuses 413
   * `batch.too_large`, 400 `batch.coding_broken`, 415 `content_encoding.unsupported`, and what `measureSigned` or `measureSealed` refuse.
   */
  async spool(body: AsyncIterable<Uint8Array>, encoding: string | undefined, openManifest?: OpenManifest): Promise<SpooledBatch> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const base = path.join(this.folder, `${randomUUID()}.partial`);
    try {
      return this.spooled(base, await this.write(base, decodeBody(body, encoding), openManifest));
    } catch (error) {
      await remove(base);
      throw error;
    }
  }

  async *read({ id, nextByte, sizeBytes }: Pick<RecordBatch, 'id' | 'nextByte' | 'sizeBytes'>): AsyncGenerator<Uint8Array> {
    const file = linesFile(this.baseOf(id));
    const { size } = await stat(file).catch(orMissing);
    // Part of a copy: a line cut in two would be refused, and what is behind it left out.
    if (size !== sizeBytes) throw new LinesMissing(`${file} has ${size} bytes, ${sizeBytes} were received`);
    yield* createReadStream(file, { start: nextByte, highWaterMark: chunkBytes }) as AsyncIterable<Uint8Array>;
  }

  rangeProof(id: ShardedId, start: number, end: number, size: number): Promise<RangeProof> {
    return this.prover(id).range(BigInt(start), BigInt(end), BigInt(size)).catch(orMissing);
  }

  inclusionPath(id: ShardedId, index: number, size: number): Promise<Uint8Array[]> {
    return this.prover(id).inclusion(BigInt(index), BigInt(size));
  }

  async discard(id: ShardedId): Promise<void> {
    await rm(linesFile(this.baseOf(id)), { force: true });
  }

  /**
   * Removes what a process that was killed left behind: lines half received, whole ones whose batch nobody was told of, such as were all
   * taken, and such as came back after their batch had failed. Answers how many files.
   * @param stateOf undefined where there is no batch of this id
   */
  async sweep(at: Date, stateOf: (id: ShardedId) => Promise<BatchState | undefined>): Promise<number> {
    const names = await readdir(this.folder).catch(() => []);
    let removed = 0;
    for (const name of names) {
      const [, batch, kind] = /^(?:[0-9a-f-]{36}\.partial|(bat_[0-9a-z]+))\.(ndjson|hashes-[0-9]+)$/.exec(name) ?? [];
      // The hashes of a batch are kept for its proofs: they go only with lines that are nobody's.
      if (kind === undefined || (batch !== undefined && kind !== 'ndjson') || !(await this.isOld(name, at))) continue;
      const state = batch === undefined ? undefined : await stateOf(parseId('bat', batch));
      if (state === 'RECEIVED' || state === 'PROCESSING') continue;
      if (batch === undefined || state !== undefined) await rm(path.join(this.folder, name), { force: true });
      else await remove(path.join(this.folder, batch));
      removed++;
    }
    return removed;
  }

  /** Not written to any more; gone meanwhile is not old. */
  private async isOld(name: string, at: Date): Promise<boolean> {
    const found = await stat(path.join(this.folder, name)).catch(() => undefined);
    return found !== undefined && at.getTime() - found.mtimeMs > halfReceivedMsMax;
  }

  private async write(base: string, lines: AsyncIterable<Uint8Array>, openManifest: OpenManifest | undefined): Promise<NewContent> {
    const handle = await open(linesFile(base), 'wx', 0o600);
    const hashes = new HashFilesWriter(base, this.threads);
    try {
      const meter = new Meter(this.limits.bytesMax);
      const pieces = kept(lines, handle, meter);
      const { linesMax } = this.limits;
      const measured = openManifest ? await measureSealed(pieces, linesMax, openManifest, hashes) : await measureSigned(pieces, linesMax);
      await handle.sync();
      return { ...measured, ...meter.end() };
    } finally {
      await handle.close();
      await hashes.close();
    }
  }

  private spooled(base: string, content: NewContent): SpooledBatch {
    let place = base;
    return {
      content,
      keepAs: async (id) => {
        await rename(linesFile(base), linesFile(this.baseOf(id)));
        place = this.baseOf(id);
        if (content.manifest) await moveHashFiles(base, place, content.linesTotal);
        await syncFolder(this.folder);
      },
      discard: () => remove(place),
    };
  }

  private prover(id: ShardedId): Prover {
    return new Prover(nodeCrypto, new TileNodes(nodeCrypto, new HashFiles(this.baseOf(id))));
  }

  private baseOf(id: ShardedId): string {
    return path.join(this.folder, formatId('bat', id));
  }
}

type NewContent = Omit<NewBatch, 'id' | 'participant' | 'certificate' | 'receivedAt'>;

/** What every piece passes on its way into the file. */
class Meter {
  private readonly hash: Hash = createHash('sha256');
  private sizeBytes = 0;

  constructor(private readonly bytesMax: number) {}

  see(piece: Uint8Array): void {
    this.sizeBytes += piece.length;
    if (this.sizeBytes > this.bytesMax) {
      throw new Refusal('too_large', 'batch.too_large', 'send several batches', { limit: `batchBytesMax=${this.bytesMax}` });
    }
    this.hash.update(piece);
  }

  end(): { readonly sizeBytes: number; readonly digest: string } {
    return { sizeBytes: this.sizeBytes, digest: this.hash.digest('hex') };
  }
}

async function* kept(pieces: AsyncIterable<Uint8Array>, handle: FileHandle, meter: Meter): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    meter.see(piece);
    await handle.writeFile(piece);
    yield piece;
  }
}

function linesFile(base: string): string {
  return `${base}.ndjson`;
}

function orMissing(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  throw code === 'ENOENT' ? new LinesMissing(message) : error;
}

/** The lines last: while they are there, the rest is found by them. */
async function remove(base: string): Promise<void> {
  await removeHashFiles(base, hashesMax);
  await rm(linesFile(base), { force: true });
}

/** Durable under its name before anybody is told of it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

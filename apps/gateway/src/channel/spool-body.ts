import { createHash, hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type ContentDigest, type DigestAlgorithm } from '#evidence';
import { Refusal } from '#kernel';
import type { Spool } from '#platform';

/** Up to this size a body waits in memory, beyond it in a file. */
export const memoryBytesMax = 256 * 1024;
const pieceBytes = 256 * 1024;

/** Whole and measured, before anybody has read a byte of it. `discard` it at the end. */
export interface SpooledBody {
  readonly sizeBytes: number;
  readonly digests: ContentDigest;
  /** The bytes, once. */
  stream(): Readable;
  discard(): Promise<void>;
}

export interface BodyLimit {
  readonly bytesMax: number;
  readonly code: string;
  /** How long the body may take to come, where that is longer than elsewhere. */
  readonly msMax?: number;
}

/**
 * Takes a body in whole, in bounded memory, and digests it on the way. Refuses 413 `limit.code` at the piece that is too much, and 400
 * `body.truncated`. The stream is not destroyed by a refusal: the connection must still carry the answer.
 */
export async function spoolBody(
  source: Readable,
  algorithms: readonly DigestAlgorithm[],
  limit: BodyLimit,
  spool: Spool,
): Promise<SpooledBody> {
  const hashes = algorithms.map((name) => ({ name, hash: createHash(nodeName(name)) }));
  const store = new Store(spool);
  let sizeBytes = 0;
  try {
    for await (const piece of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += piece.length;
      if (sizeBytes > limit.bytesMax) throw tooLarge(limit);
      for (const { hash } of hashes) hash.update(piece);
      await store.add(piece, sizeBytes);
    }
  } catch (error) {
    await store.discard();
    if (source.readableAborted) throw truncated();
    throw error;
  }
  const digests = new Map(hashes.map(({ name, hash }) => [name, new Uint8Array(hash.digest())]));
  return { sizeBytes, digests, stream: () => store.stream(), discard: () => store.discard() };
}

/** A body that is whole in memory: a parser that wants all of it takes `bytes` and need not read. */
export class WholeBody extends Readable {
  constructor(readonly bytes: Buffer) {
    super();
  }

  override _read(): void {
    if (this.bytes.length > 0) this.push(this.bytes);
    this.push(null);
  }
}

/** What `spoolBody` does, for a body that says beforehand that it fits into memory. */
export function takeSmallBody(source: Readable, algorithms: readonly DigestAlgorithm[], limit: BodyLimit): Promise<SpooledBody> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let sizeBytes = 0;
    const settle = (done: () => void) => {
      source.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose);
      done();
    };
    const onData = (piece: Buffer) => {
      sizeBytes += piece.length;
      if (sizeBytes > limit.bytesMax) settle(() => reject(tooLarge(limit)));
      else pieces.push(piece);
    };
    const onEnd = () => settle(() => resolve(wholeBody(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces), algorithms)));
    const onClose = () => settle(() => reject(truncated()));
    source.on('data', onData).once('end', onEnd).once('error', onClose).once('close', onClose);
  });
}

function wholeBody(bytes: Buffer, algorithms: readonly DigestAlgorithm[]): SpooledBody {
  const digests = new Map(algorithms.map((name) => [name, hash(nodeName(name), bytes, 'buffer')]));
  return { sizeBytes: bytes.length, digests, stream: () => new WholeBody(bytes), discard: () => Promise.resolve() };
}

function nodeName(algorithm: DigestAlgorithm): string {
  return algorithm.replace('-', '');
}

function truncated(): Refusal {
  return new Refusal('malformed', 'body.truncated', 'the connection ended before the body did');
}

/** A body in memory, at once. Refuses 413 `limit.code`. */
export async function readWhole(source: Readable, { bytesMax, code }: BodyLimit): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > bytesMax) throw tooLarge({ bytesMax, code });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

class Store {
  private pieces: Buffer[] = [];
  private file: FileHandle | undefined;

  constructor(private readonly spool: Spool) {}

  async add(piece: Buffer, sizeBytes: number): Promise<void> {
    this.pieces.push(piece);
    if (sizeBytes <= memoryBytesMax) return;
    this.file ??= await this.spool.file();
    const waiting = this.pieces;
    this.pieces = [];
    await this.file.writev(waiting);
  }

  stream(): Readable {
    if (!this.file) return Readable.from(this.pieces, { objectMode: false });
    return this.file.createReadStream({ start: 0, highWaterMark: pieceBytes, autoClose: false });
  }

  async discard(): Promise<void> {
    this.pieces = [];
    const file = this.file;
    this.file = undefined;
    await file?.close();
  }
}

function tooLarge({ bytesMax, code }: BodyLimit): Refusal {
  return new Refusal('too_large', code, 'the body is larger than this call accepts', { limit: `bodyBytesMax=${bytesMax}` });
}

import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { encodeBase64Url, GrowingTree, leafHash, MANIFEST_TYPE, nodeCrypto } from '#evidence';
import { Refusal, uuidV7 } from '#kernel';
import { signCompact, type SigningKey } from '../record-signer.js';
import { type BatchLine, encodeLines, joinLines } from './line-pieces.js';

/** Who signs for all lines of a sealed batch, and as which participant. */
export interface Seal {
  readonly iss: string;
  readonly key: SigningKey;
}

export interface WriteBatchOptions {
  /** One signature over all lines, which are then payloads without signatures of their own. */
  readonly seal?: Seal;
  readonly gzip?: boolean;
  /** Blank lines to begin with: they hold nothing, but make the same lines another batch. */
  readonly blankLines?: number;
}

/**
 * Writes lines to a file that is sent as it stands, as often as it takes: the same bytes are the same batch. In constant memory; the file has its
 * name only when it is whole and durable. @returns how many lines there are, without the manifest.
 * Refuses 400 `batch.line_malformed`, `batch.empty`; 413 `batch.line_too_long`.
 */
export async function writeBatch(
  file: string,
  lines: Iterable<BatchLine> | AsyncIterable<BatchLine>,
  { seal, gzip = false, blankLines = 0 }: WriteBatchOptions = {},
): Promise<number> {
  const [partial, unsealed] = [`${file}.partial`, `${file}.lines`];
  const meter = new LineMeter(seal !== undefined);
  try {
    const pieces = joinLines(meter.see(encodeLines(lines)));
    if (seal) {
      await write(unsealed, pieces, false);
      await write(partial, headed(await manifestOf(seal, meter), createReadStream(unsealed)), gzip);
    } else {
      await write(partial, headed('\n'.repeat(blankLines), pieces), gzip);
    }
    if (meter.count === 0) throw new Refusal('malformed', 'batch.empty', 'there is no line in it');
    await rename(partial, file);
    await syncFolder(path.dirname(file));
    return meter.count;
  } finally {
    await rm(partial, { force: true });
    await rm(unsealed, { force: true });
  }
}

/** Counts lines, and grows the tree over them where they will be sealed. */
class LineMeter {
  count = 0;
  private readonly tree: GrowingTree | undefined;

  constructor(isSealed: boolean) {
    this.tree = isSealed ? GrowingTree.restore(nodeCrypto, 0n, []) : undefined;
  }

  async *see(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const line of lines) {
      this.count++;
      await this.tree?.append([await leafHash(nodeCrypto, line)]);
      yield line;
    }
  }

  async root(): Promise<Uint8Array> {
    return await this.tree!.root();
  }
}

/** The first line of a sealed batch: how many lines follow, and the RFC 6962 root over them. */
async function manifestOf({ iss, key }: Seal, meter: LineMeter): Promise<string> {
  const now = Date.now();
  const claims = { iss, jti: uuidV7(now, randomBytes(10)), iat: Math.floor(now / 1_000), count: meter.count };
  return `${await signCompact(MANIFEST_TYPE, { ...claims, root: encodeBase64Url(await meter.root()) }, key)}\n`;
}

async function* headed(head: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head !== '') yield Buffer.from(head);
  yield* pieces;
}

async function write(file: string, pieces: AsyncIterable<Uint8Array>, gzip: boolean): Promise<void> {
  const source = Readable.from(pieces, { objectMode: false });
  await pipeline(source, gzip ? createGzip() : new PassThrough(), createWriteStream(file, { mode: 0o600 }));
  const handle = await open(file, 'r+');
  await handle.sync().finally(() => handle.close());
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

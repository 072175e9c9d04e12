import { Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { Refusal } from '#kernel';
import { BrokenCoding } from './broken-coding.js';
import { ZstdFrames } from './zstd-frames.js';

const chunkBytes = 1024 * 1024;
/** A block of four bytes may stand for 128 KiB: so many bytes of hostile input become 32 MiB before anybody can count them. */
const zstdStepBytes = 1024;

/** Records hold ids and times that differ: a body that grows more was made to fill our disk. A small one may. */
const growthMax = 100;
const grownBytesFree = 16 * 1024 * 1024;

type Body = AsyncIterable<Uint8Array>;

const gunzip = (body: Body) => measured(body, (read) => through(read, zlib.createGunzip({ chunkSize: chunkBytes })));

/** One row per coding, in small letters, and `x-gzip` is gzip (RFC 9110 §8.4.1, RFC 8878); each decodes in constant memory and throws `BrokenCoding`. */
const DECODERS: Readonly<Record<string, (body: Body) => Body>> = {
  identity: (body) => body,
  gzip: gunzip,
  'x-gzip': gunzip,
  zstd: (body) => measured(body, unzstd),
};

/** For Accept-Encoding (RFC 9110 §12.5.3): what a refused sender may use. */
export const CODINGS_TAKEN = 'gzip, zstd';

/**
 * A body without its transfer coding. Refuses 415 `content_encoding.unsupported`, and while it is read 400 `batch.coding_broken`.
 */
export function decodeBody(body: Body, encoding = 'identity'): Body {
  const coding = encoding.toLowerCase();
  const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (decode) return refusing(decode(body));
  throw new Refusal('unsupported_media', 'content_encoding.unsupported', 'send lines as they are, as gzip or as zstd', {
    field: 'content-encoding',
  });
}

async function* refusing(decoded: Body): AsyncGenerator<Uint8Array> {
  try {
    yield* decoded;
  } catch (error) {
    if (!(error instanceof BrokenCoding)) throw error;
    throw new Refusal('malformed', 'batch.coding_broken', error.message, { field: 'content-encoding' });
  }
}

async function* measured(body: Body, decode: (body: Body) => Body): AsyncGenerator<Uint8Array> {
  let received = 0;
  let grown = 0;
  const counted = async function* () {
    for await (const chunk of body) {
      received += chunk.length;
      yield chunk;
    }
  };
  for await (const piece of decode(counted())) {
    grown += piece.length;
    if (grown > grownBytesFree && grown > growthMax * received)
      throw new BrokenCoding(`the body grows to more than ${growthMax} times its size`);
    yield piece;
  }
}

async function* through(body: Body, decoder: Transform): AsyncGenerator<Uint8Array> {
  const source = Readable.from(body);
  source.once('error', (error) => decoder.destroy(error));
  try {
    for await (const piece of source.pipe(decoder)) yield piece as Uint8Array;
  } catch (error) {
    if (!/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new BrokenCoding('the body is not whole in its coding');
  }
}

/** Not Node's own decoder: it ends in silence after the first frame (24.x, 2026-11-22), so lines would be lost, and is there only from 22.15 on. */
function unzstd(body: Body): Body {
  return decompressed(walkedFrames(body, new ZstdFrames()));
}

async function* walkedFrames(body: Body, frames: ZstdFrames): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    frames.see(chunk);
    yield chunk;
  }
  frames.end();
}

async function* decompressed(body: Body): AsyncGenerator<Uint8Array> {
  let decoded: Uint8Array[] = [];
  const decompress = new Decompress((piece) => void decoded.push(piece));
  const take = (bytes: Uint8Array, isLast: boolean): Uint8Array[] => {
    decoded = [];
    push(decompress, bytes, isLast);
    return decoded;
  };
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += zstdStepBytes) yield* take(chunk.subarray(at, at + zstdStepBytes), false);
  }
  // A short frame at the end is held back until it is said that this was the end.
  yield* take(new Uint8Array(), true);
}

/** Whatever the decoder throws over bytes from outside says that they are none it can read. */
function push(decompress: Decompress, bytes: Uint8Array, isLast: boolean): void {
  try {
    decompress.push(bytes, isLast);
  } catch {
    throw new BrokenCoding('the body is not zstd');
  }
}

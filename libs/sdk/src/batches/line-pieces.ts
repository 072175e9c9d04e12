import { Refusal } from '#kernel';

/** A record on its line takes no more; the gateway refuses a longer one. */
export const lineBytesMax = 65_536;

const LF = 10;
const CR = 13;
const gatheredBytes = 256 * 1024;

/** What a line is made of: a text or bytes as they are, or an object, written as JSON. */
export type BatchLine = string | Uint8Array | object;

/** Cuts a stream into lines without their ends (LF, or CR LF), blank ones too. Of a line longer than `lineBytesMax` only a beginning is kept, still longer than that. */
export async function* splitLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    held = held.length === 0 ? Buffer.from(piece) : Buffer.concat([held, piece]);
    let from = 0;
    for (let at = held.indexOf(LF); at >= 0; at = held.indexOf(LF, from)) {
      yield withoutReturn(held.subarray(from, at));
      from = at + 1;
    }
    held = held.subarray(from, from + 2 * lineBytesMax);
  }
  if (held.length > 0) yield withoutReturn(held);
}

/**
 * The bytes of each line, checked: one line each, not empty, at most `lineBytesMax`. Refuses 400 `batch.line_malformed`, 413 `batch.line_too_long`.
 */
export async function* encodeLines(lines: Iterable<BatchLine> | AsyncIterable<BatchLine>): AsyncGenerator<Buffer> {
  let line = 0;
  for await (const content of lines) {
    line++;
    const bytes = bytesOf(content);
    if (bytes.length === 0 || bytes.includes(LF) || bytes.includes(CR)) {
      throw new Refusal('malformed', 'batch.line_malformed', `line ${line} is empty or holds the end of a line`);
    }
    if (bytes.length > lineBytesMax) throw tooLong(line);
    yield bytes;
  }
}

/** Puts the end to each line, many lines in one piece. */
export async function* joinLines(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const line of lines) {
    waiting.push(line, END);
    length += line.length + 1;
    if (length < gatheredBytes) continue;
    yield Buffer.concat(waiting, length);
    waiting = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(waiting, length);
}

const END = Buffer.from([LF]);

function bytesOf(content: BatchLine): Buffer {
  if (typeof content === 'string') return Buffer.from(content);
  return content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(JSON.stringify(content));
}

function withoutReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
}

const tooLong = (line: number) =>
  new Refusal('too_large', 'batch.line_too_long', `line ${line} is too long`, { limit: `lineBytesMax=${lineBytesMax}` });

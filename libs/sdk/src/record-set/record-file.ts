import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { decodeBase64Url, findPlaces, packItem, SetTree } from '#evidence';
import { invariant, Refusal } from '#kernel';
import type { GivenRecord, KeptRecord, LocalRecords } from './local-records.js';
import { readLine } from './record-line.js';

const NEWLINE = 0x0a;
const lineBytesMax = 65_536;
const pieceItems = 4_096;

/**
 * A bank's records in a file, one on each line: the JWS that was sent, or the bare payload of a line of a sealed batch. In memory are 50 to 75
 * bytes a record; lines are read again from the file. What is added is on the disk before `add` returns. One process per file.
 */
export class RecordFile implements LocalRecords {
  private constructor(
    private readonly file: FileHandle,
    private held: SetTree,
    private sizeBytes: number,
  ) {}

  /** Reads the file, or begins one. Refuses 400 `record_line.malformed` with the number of the line. */
  static async open(path: string): Promise<RecordFile> {
    const file = await open(path, 'a+');
    try {
      const editor = SetTree.empty.edit();
      const items: Uint8Array[] = [];
      for await (const { at, text, number } of linesOf(path)) {
        const { id, iat } = readNumbered(text, number);
        items.push(packItem(iat, id, at));
        if (items.length === pieceItems) editor.add(Buffer.concat(items.splice(0)));
      }
      editor.add(Buffer.concat(items));
      return new RecordFile(file, editor.tree(), await endOfLines(file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  tree(): SetTree {
    return this.held;
  }

  async *kept(ids: readonly string[]): AsyncGenerator<KeptRecord> {
    const wanted = ids.map((id) => decodeBase64Url(id, 'id'));
    for (const place of await findPlaces(this.held, wanted, () => Promise.resolve())) {
      const line = await this.lineAt(place);
      yield { id: Buffer.from(readLine(line).id).toString('base64url'), line };
    }
  }

  async add({ line }: GivenRecord): Promise<void> {
    await this.append(line);
  }

  /** A record that was just made: keep it before it is sent. */
  async append(line: string): Promise<void> {
    const { id, iat } = readLine(line);
    const bytes = Buffer.from(`${line}\n`);
    await this.file.appendFile(bytes);
    await this.file.datasync();
    this.held = this.held.with(packItem(iat, id, this.sizeBytes));
    this.sizeBytes += bytes.length;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async lineAt(place: number): Promise<string> {
    const buffer = Buffer.alloc(lineBytesMax + 1);
    const { bytesRead } = await this.file.read(buffer, 0, buffer.length, place);
    const end = buffer.subarray(0, bytesRead).indexOf(NEWLINE);
    invariant(end >= 0, 'a line that was read once ends');
    return buffer.toString('utf8', 0, end).trim();
  }
}

function readNumbered(text: string, number: number) {
  try {
    return readLine(text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.kind, error.code, `line ${number}: ${error.detail}`);
  }
}

/** Lines with where they begin, in bytes. Empty ones are passed over; a last line without its end is the crash of a writer, and passed over too. */
async function* linesOf(path: string): AsyncGenerator<{ at: number; text: string; number: number }> {
  let [rest, at, number] = [Buffer.alloc(0), 0, 0];
  for await (const piece of createReadStream(path, { highWaterMark: 1_048_576 }) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, piece]);
    let begin = 0;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, begin)) {
      number += 1;
      const text = rest.toString('utf8', begin, end).trim();
      if (text !== '') yield { at: at + begin, text, number };
      begin = end + 1;
    }
    rest = rest.subarray(begin);
    at += begin;
    if (rest.length > lineBytesMax)
      throw new Refusal('malformed', 'record_line.malformed', `line ${number + 1}: longer than a record may be`);
  }
}

/** Cuts off a line that a crash left without its end, so that the next one begins on a line of its own. */
async function endOfLines(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, lineBytesMax + 1));
  await file.read(tail, 0, tail.length, size - tail.length);
  const end = size - tail.length + tail.lastIndexOf(NEWLINE) + 1;
  if (end < size) await file.truncate(end);
  return end;
}

import type { SealedManifest } from '#evidence';
import { Refusal, type Verified } from '#kernel';
import type { NewBatch } from '../batch/batch.js';
import type { LineFaults } from '../batch/line-faults.js';
import { recordBytesMax } from '../batch/run-batch.js';
import { LineSplitter, type TextLine } from '../batch/split-lines.js';
import type { HashFilesWriter } from './hash-files.js';

/** What the lines of a batch turned out to be. */
export type MeasuredLines = Pick<NewBatch, 'linesTotal' | 'manifest' | 'faults' | 'nextLine' | 'nextByte'>;

/** Verifies the manifest of a sealed batch for the participant that sends it. Refuses what `verifyJws` and `readManifest` refuse. */
export type OpenManifest = (received: Uint8Array) => Promise<Verified<SealedManifest>>;

const LF = 10;
const CR = 13;

/** Counts lines that bear a signature each. Refuses 413 `batch.too_large` and 400 `batch.empty`. */
export async function measureSigned(pieces: AsyncIterable<Uint8Array>, linesMax: number): Promise<MeasuredLines> {
  const count = new LineCount();
  for await (const piece of pieces) {
    count.add(piece);
    refuseTooMany(count.lines, linesMax);
  }
  if (count.lines === 0) throw new Refusal('malformed', 'batch.empty', 'there is no line in it');
  return { linesTotal: count.lines, manifest: undefined, faults: undefined, nextLine: 1, nextByte: 0 };
}

/**
 * Reads a sealed batch once: the manifest is verified before a line is looked at, and the tree over the lines must be the one that was signed. Lines
 * that no record can be made of are told, and stop nothing.
 * Refuses 400 `batch.empty`, `batch.blank_line`; 413 `batch.too_large`, `batch.line_too_long`; 422 `batch.root_mismatch`, `batch.count_mismatch`
 * and what `openManifest` refuses.
 */
export async function measureSealed(
  pieces: AsyncIterable<Uint8Array>,
  linesMax: number,
  openManifest: OpenManifest,
  hashes: HashFilesWriter,
): Promise<MeasuredLines> {
  const splitter = new LineSplitter({ firstLine: 1, firstByte: 0, lineBytesMax: recordBytesMax });
  const reader = new SealedReader(linesMax, openManifest, hashes);
  for await (const piece of pieces) await reader.take(splitter.push(piece));
  await reader.take(splitter.end());
  return await reader.end();
}

/** Takes the lines of a sealed batch in their order, as many at a time as came together. */
class SealedReader {
  private expected = 1;
  private opened: { readonly signed: SealedManifest; readonly measured: Omit<MeasuredLines, 'faults'> } | undefined;

  constructor(
    private readonly linesMax: number,
    private readonly openManifest: OpenManifest,
    private readonly hashes: HashFilesWriter,
  ) {}

  async take(lines: readonly TextLine[]): Promise<void> {
    const leaves: Uint8Array[] = [];
    for (const { line, bytes, nextByte } of lines) {
      if (!bytes)
        throw new Refusal('too_large', 'batch.line_too_long', `line ${line} is too long`, { limit: `recordBytesMax=${recordBytesMax}` });
      if (line !== this.expected++)
        throw new Refusal('malformed', 'batch.blank_line', 'a sealed batch has no blank lines: each line is a leaf of the tree');
      if (this.opened) leaves.push(bytes);
      else await this.open(bytes, nextByte);
    }
    if (this.opened) await this.hashes.append(leaves, this.opened.signed.iss);
  }

  async end(): Promise<MeasuredLines> {
    if (!this.opened) throw new Refusal('malformed', 'batch.empty', 'there is no line in it');
    const { signed, measured } = this.opened;
    return { ...measured, faults: await checkTree(signed, this.hashes) };
  }

  private async open(bytes: Uint8Array, nextByte: number): Promise<void> {
    const { value: signed } = await this.openManifest(bytes);
    const linesTotal = signed.count;
    refuseTooMany(linesTotal, this.linesMax);
    this.opened = { signed, measured: { linesTotal, manifest: bytes.slice(), nextLine: 2, nextByte } };
  }
}

async function checkTree(signed: SealedManifest, hashes: HashFilesWriter): Promise<LineFaults> {
  const { count, root, faults } = await hashes.finish(signed.iss);
  if (count !== signed.count) {
    throw new Refusal('unprocessable', 'batch.count_mismatch', `the manifest says ${signed.count} lines; ${count} came`, {
      field: 'count',
    });
  }
  if (Buffer.compare(root, signed.root) !== 0) {
    throw new Refusal('unprocessable', 'batch.root_mismatch', 'the lines are not those that the manifest signs', { field: 'root' });
  }
  return faults;
}

function refuseTooMany(lines: number, linesMax: number): void {
  if (lines > linesMax) throw new Refusal('too_large', 'batch.too_large', 'send several batches', { limit: `batchLinesMax=${linesMax}` });
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
    this.onlyReturn = this.length === 0 && to - from === 1 && piece[from] === CR;
    this.length += to - from;
  }

  private holdsAnything(): boolean {
    return this.length > 0 && !this.onlyReturn;
  }
}

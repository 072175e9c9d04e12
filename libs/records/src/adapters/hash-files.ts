import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { GrowingTree, hashBytes, type HashReader, hashesAtLevel, leafHash, nodeCrypto, tileWidth } from '#evidence';
import { type Fault, type LineFaults, faultOf, faultsToldMax } from '../batch/line-faults.js';
import type { ReadTiles } from './line-thread.js';
import { type LineThreads, rowsOf } from './line-threads.js';

const bufferedHashesMax = 8_192;

/** The tree over a sealed batch's lines: one file per stored level (every eighth), the hashes one after another. */
export class HashFiles implements HashReader {
  constructor(private readonly base: string) {}

  async readHashes(level: number, first: bigint, count: number): Promise<Uint8Array> {
    const handle = await open(levelFile(this.base, level), 'r');
    try {
      const bytes = new Uint8Array(count * hashBytes);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, Number(first) * hashBytes);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }
}

/** Whole tiles that are read together: as much as this, or so many lines. */
const readBytesMin = 512 * 1024;
const readLinesMax = 16 * tileWidth;
/** What lies with the threads at one time: two such pieces each, less where lines are long. */
const piecesPerThread = 2;
const bytesWithThreadsMax = 32 * 1024 * 1024;

/** Lines on their way through a thread, and what they weigh. */
interface Piece {
  readonly bytes: number;
  /** The first of its lines, counted from 0. */
  readonly first: number;
  readonly read: Promise<ReadTiles>;
}

/**
 * Reads and hashes lines and writes the hashes while they come in; memory stays the same however many there are. Whole tiles are read on threads,
 * what is left at the end here.
 */
export class HashFilesWriter {
  private readonly tree = GrowingTree.restore(nodeCrypto, 0n, []);
  private readonly levels: { readonly handle: FileHandle; waiting: Uint8Array[]; bytes: number }[] = [];
  private lines: Uint8Array[] = [];
  private lineBytes = 0;
  private linesWithThreads = 0;
  private readonly pieces: Piece[] = [];
  private bytesWithThreads = 0;
  private readonly faults = { count: 0, first: [] as LineFaults['first'][number][] };

  constructor(
    private readonly base: string,
    private readonly threads: LineThreads,
  ) {}

  /** Each line is to be a record of `issuer`. */
  async append(lines: readonly Uint8Array[], issuer: string): Promise<void> {
    for (const line of lines) {
      this.lines.push(line);
      this.lineBytes += line.length;
      if (this.lines.length % tileWidth === 0 && (this.lineBytes >= readBytesMin || this.lines.length >= readLinesMax))
        await this.readWaiting(issuer);
    }
  }

  /** Makes all of it durable and answers what it is a tree of, and which lines no record of `issuer` can be made of. */
  async finish(issuer: string): Promise<{ readonly count: number; readonly root: Uint8Array; readonly faults: LineFaults }> {
    const whole = this.lines.length - (this.lines.length % tileWidth);
    const rest = this.lines.splice(whole);
    if (whole > 0) await this.readWaiting(issuer);
    while (this.pieces.length > 0) await this.take();
    for (const [i, line] of rest.entries()) this.keepFault(Number(this.tree.size) + i, faultOf(line, issuer));
    const leaves = await Promise.all(rest.map((line) => leafHash(nodeCrypto, line)));
    if (leaves.length > 0) await this.write(0, Buffer.concat(leaves));
    for (const { level, hash } of await this.tree.append(leaves)) await this.write(level, hash);
    for (const level of this.levels) {
      await flush(level);
      await level.handle.sync();
    }
    return { count: Number(this.tree.size), root: await this.tree.root(), faults: this.faults };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.pieces.map(({ read }) => read));
    for (const { handle } of this.levels) await handle.close();
  }

  private async readWaiting(issuer: string): Promise<void> {
    const [lines, bytes, first] = [this.lines, this.lineBytes, this.linesWithThreads];
    [this.lines, this.lineBytes] = [[], 0];
    this.linesWithThreads += lines.length;
    const read = this.threads.read(lines, issuer);
    // Whoever takes it hears of its failure; until then nobody does.
    read.catch(() => undefined);
    this.pieces.push({ bytes, first, read });
    this.bytesWithThreads += bytes;
    while (this.pieces.length > piecesPerThread * this.threads.size || this.bytesWithThreads > bytesWithThreadsMax) await this.take();
  }

  /** The oldest piece: in the order of the lines. */
  private async take(): Promise<void> {
    const { bytes, first, read } = this.pieces.shift()!;
    this.bytesWithThreads -= bytes;
    const { leaves, roots, faults } = await read;
    for (const [i, fault] of faults) this.keepFault(first + i, fault);
    await this.write(0, leaves);
    for (const root of rowsOf(roots)) {
      for (const { level, hash } of await this.tree.appendTile(root)) await this.write(level, hash);
    }
  }

  /** `index` counts from 0; the manifest is the first line of the file. */
  private keepFault(index: number, fault: Fault | undefined): void {
    if (!fault) return;
    this.faults.count++;
    if (this.faults.first.length < faultsToldMax) this.faults.first.push({ line: index + 2, ...fault });
  }

  private async write(level: number, hashes: Uint8Array): Promise<void> {
    const target = (this.levels[level] ??= { handle: await open(levelFile(this.base, level), 'wx', 0o600), waiting: [], bytes: 0 });
    target.waiting.push(hashes);
    target.bytes += hashes.length;
    if (target.bytes >= bufferedHashesMax * hashBytes) await flush(target);
  }
}

/** Gives the files of a tree of `count` lines another base. */
export async function moveHashFiles(from: string, to: string, count: number): Promise<void> {
  for (const level of levelsOf(count)) await rename(levelFile(from, level), levelFile(to, level));
}

export async function removeHashFiles(base: string, count: number): Promise<void> {
  for (const level of levelsOf(count)) await rm(levelFile(base, level), { force: true });
}

function levelsOf(count: number): number[] {
  const levels: number[] = [];
  for (let level = 0; hashesAtLevel(BigInt(count), level) > 0n; level++) levels.push(level);
  return levels;
}

function levelFile(base: string, level: number): string {
  return `${base}.hashes-${level}`;
}

async function flush(target: { readonly handle: FileHandle; waiting: Uint8Array[]; bytes: number }): Promise<void> {
  if (target.waiting.length === 0) return;
  const bytes = Buffer.concat(target.waiting);
  [target.waiting, target.bytes] = [[], 0];
  await target.handle.writeFile(bytes);
}

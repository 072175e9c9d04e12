import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { GrowingTree, hashBytes, type HashReader, hashesAtLevel, nodeCrypto } from '#evidence';

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

/** Writes the hashes while lines come in; memory stays the same however many there are. */
export class HashFilesWriter {
  private readonly tree = GrowingTree.restore(nodeCrypto, 0n, []);
  private readonly levels: { readonly handle: FileHandle; waiting: Uint8Array[] }[] = [];

  constructor(private readonly base: string) {}

  async append(leaves: readonly Uint8Array[]): Promise<void> {
    await this.write(0, leaves);
    for (const { level, hash } of await this.tree.append(leaves)) await this.write(level, [hash]);
  }

  /** Makes all of it durable and answers what it is a tree of. */
  async finish(): Promise<{ readonly count: number; readonly root: Uint8Array }> {
    for (const level of this.levels) {
      await flush(level);
      await level.handle.sync();
    }
    return { count: Number(this.tree.size), root: await this.tree.root() };
  }

  async close(): Promise<void> {
    for (const { handle } of this.levels) await handle.close();
  }

  private async write(level: number, hashes: readonly Uint8Array[]): Promise<void> {
    const target = (this.levels[level] ??= { handle: await open(levelFile(this.base, level), 'wx', 0o600), waiting: [] });
    for (const hash of hashes) target.waiting.push(hash);
    if (target.waiting.length >= bufferedHashesMax) await flush(target);
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

async function flush(target: { readonly handle: FileHandle; waiting: Uint8Array[] }): Promise<void> {
  if (target.waiting.length === 0) return;
  const bytes = Buffer.concat(target.waiting);
  target.waiting = [];
  await target.handle.writeFile(bytes);
}

import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { constants } from 'node:fs';
import path from 'node:path';
import { BUNDLE_PARTS, tarBlockBytes, tarEnd, tarHeader, tarPadding } from '#evidence';
import { formatId, shardOf } from '#kernel';
import type { BundleFile, BundleFiles } from '../run-export.js';
import { syncFolders } from './fs-log-files.js';

/** Bundles as .tar files below `<home>/exports`. */
export class FsBundleFiles implements BundleFiles {
  constructor(private readonly folder: string) {}

  async open(id: string, leavesBytes: number): Promise<BundleFile> {
    await mkdir(this.folder, { recursive: true });
    const name = `${formatId('exp', { shard: shardOf(id), uuid: id })}.tar`;
    const file = path.join(this.folder, name);
    const handle = await open(`${file}.partial`, constants.O_RDWR | constants.O_CREAT, 0o640);
    const isFresh = (await handle.stat()).size === 0;
    return new TarBundleFile(handle, file, leavesBytes, isFresh);
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }
}

class TarBundleFile implements BundleFile {
  /** Where the header of entries.ndjson stands; its size is known at the end. */
  private readonly linesHeaderAt: number;

  constructor(
    private readonly handle: FileHandle,
    private readonly file: string,
    private readonly leavesBytes: number,
    readonly isFresh: boolean,
  ) {
    this.linesHeaderAt = tarBlockBytes + leavesBytes + tarPadding(leavesBytes).length;
  }

  writeLeaves(offset: number, bytes: Uint8Array): Promise<void> {
    return this.write(tarBlockBytes + offset, bytes);
  }

  writeLines(offset: number, bytes: Uint8Array): Promise<void> {
    return this.write(this.linesHeaderAt + tarBlockBytes + offset, bytes);
  }

  sync(): Promise<void> {
    return this.handle.datasync();
  }

  async finish(linesBytes: number, parts: Readonly<Record<string, Uint8Array>>): Promise<string> {
    const [leaves, lines, ...small] = BUNDLE_PARTS;
    await this.write(0, tarHeader(leaves, this.leavesBytes));
    await this.write(tarBlockBytes + this.leavesBytes, tarPadding(this.leavesBytes));
    await this.write(this.linesHeaderAt, tarHeader(lines, linesBytes));
    const linesEnd = this.linesHeaderAt + tarBlockBytes + linesBytes;
    const rest = small.flatMap((name) => [tarHeader(name, parts[name]!.length), parts[name]!, tarPadding(parts[name]!.length)]);
    const tail = Buffer.concat([tarPadding(linesBytes), ...rest, tarEnd]);
    await this.write(linesEnd, tail);
    await this.handle.truncate(linesEnd + tail.length);
    await this.handle.sync();
    await rename(`${this.file}.partial`, this.file);
    await syncFolders([path.dirname(this.file)]);
    return path.basename(this.file);
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private async write(position: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }
}

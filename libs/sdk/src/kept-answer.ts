import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ContentDigest } from '#evidence';

const pieceBytes = 256 * 1024;

/** The body of an answer of any size on disk, in a file without a name: when this process ends, however it ends, it is gone. */
export class KeptAnswer {
  private constructor(
    private readonly file: FileHandle,
    readonly digest: ContentDigest,
  ) {}

  /** `folder`: where it lies; made where it is not there. */
  static async take(pieces: AsyncIterable<Uint8Array>, folder = tmpdir()): Promise<KeptAnswer> {
    const file = await openNameless(folder);
    try {
      const hash = createHash('sha256');
      for await (const piece of pieces) {
        hash.update(piece);
        await file.writeFile(piece);
      }
      return new KeptAnswer(file, new Map([['sha-256', hash.digest()]]));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  read(): AsyncIterable<Buffer> {
    return this.file.createReadStream({ start: 0, autoClose: false, highWaterMark: pieceBytes });
  }

  async discard(): Promise<void> {
    await this.file.close();
  }
}

async function openNameless(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = path.join(folder, `tallystick-answer-${randomUUID()}`);
  const handle = await open(name, 'wx+', 0o600);
  await rm(name);
  return handle;
}

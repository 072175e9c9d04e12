import { type FileHandle, open } from 'node:fs/promises';
import type { RandomReader } from '#evidence';

/** A file as the verifier reads it. */
export interface OpenFile extends RandomReader {
  close(): Promise<void>;
}

export async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  return { size, read: (offset, length) => readExactly(handle, offset, length), close: () => handle.close() };
}

async function readExactly(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}

import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A private temporary file without a name: when this process ends, however it ends, it is gone. Close it to be rid of it before. */
export async function openNameless(): Promise<FileHandle> {
  const name = path.join(tmpdir(), `tallystick-${randomUUID()}`);
  const handle = await open(name, 'wx+', 0o600);
  await rm(name);
  return handle;
}

import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from './config.js';

const PREFIX = 'spooled-';
/** Between the two lines that make a file and take its name away. */
const namedMsMax = 60_000;

/** Where what is too large for memory waits while it comes or goes: a folder that is only ours, and on the disk the operator chose. */
export class Spool {
  private constructor(private readonly folder: string) {}

  /** Makes the folder, and removes what was killed between the making of a file and the end of its name. Other processes may share it. */
  static open({ SPOOL_DIR, TALLYSTICK_HOME }: Pick<Config, 'SPOOL_DIR' | 'TALLYSTICK_HOME'>): Spool {
    const folder = SPOOL_DIR ?? path.join(TALLYSTICK_HOME, 'spool');
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
    for (const name of readdirSync(folder).filter((one) => one.startsWith(PREFIX))) {
      const file = path.join(folder, name);
      const madeAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
      if (Date.now() - madeAt > namedMsMax) rmSync(file, { force: true });
    }
    return new Spool(folder);
  }

  /** A private file without a name: when this process ends, however it ends, it is gone. Close it to be rid of it before. */
  async file(): Promise<FileHandle> {
    const name = path.join(this.folder, `${PREFIX}${randomUUID()}`);
    const handle = await open(name, 'wx+', 0o600);
    await rm(name);
    return handle;
  }
}

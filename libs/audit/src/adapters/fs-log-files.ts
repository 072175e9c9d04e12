import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { PassPoint } from '#platform';
import type { LogFile, LogFiles } from '../store.js';

/** A write takes seconds: what lies longer was left by a process that was killed. */
const draftAgeMsMax = 3_600_000;

/** The log as static files below `<home>/log`, the anchor below `<home>/log-anchor` (which a production system mounts from elsewhere). */
export class FsLogFiles implements LogFiles {
  private readonly log: string;
  private readonly checkpoint: string;
  private readonly anchor: string;

  constructor(
    home: string,
    private readonly passPoint: PassPoint = () => undefined,
  ) {
    this.log = path.join(home, 'log');
    this.checkpoint = path.join(this.log, 'checkpoint');
    this.anchor = path.join(home, 'log-anchor', 'checkpoint');
  }

  async writeTiles(files: readonly LogFile[]): Promise<void> {
    await Promise.all(
      files.map((file) => writeDurably(path.join(this.log, file.path), file.bytes, { draftsIn: this.log, syncFolder: false })),
    );
    await syncFolders(files.map((file) => path.dirname(path.join(this.log, file.path))));
    // c2sp.org/tlog-tiles: partial tiles may go once the full one stands.
    const full = files.filter((file) => !path.dirname(file.path).endsWith('.p'));
    await Promise.all(full.map((file) => rm(path.join(this.log, `${file.path}.p`), { recursive: true, force: true })));
    this.passPoint('file.after');
  }

  readCheckpoint(): Promise<string | undefined> {
    return readIfThere(this.checkpoint);
  }

  async writeCheckpoint(note: string): Promise<void> {
    await writeDurably(this.checkpoint, Buffer.from(note));
    this.passPoint('file.after');
  }

  readAnchor(): Promise<string | undefined> {
    return readIfThere(this.anchor);
  }

  async writeAnchor(note: string): Promise<void> {
    await writeDurably(this.anchor, Buffer.from(note));
    this.passPoint('file.after');
  }

  /** Removes the drafts that killed writes left. Answers how many. */
  async sweepDrafts(at: Date): Promise<number> {
    let removed = 0;
    for (const folder of [this.log, path.dirname(this.anchor)]) {
      const names = await readdir(folder).catch(() => []);
      for (const draft of names.filter((name) => name.endsWith('.draft')).map((name) => path.join(folder, name))) {
        // Renamed meanwhile is not left.
        const found = await stat(draft).catch(() => undefined);
        if (!found || at.getTime() - found.mtimeMs < draftAgeMsMax) continue;
        await rm(draft, { force: true });
        removed++;
      }
    }
    return removed;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a draft, makes it durable and renames it: readers see the old bytes or the new ones. `draftsIn`: a folder of the same file system, where
 * a sweep finds what was left without going through all tiles; else beside the file.
 */
export async function writeDurably(
  file: string,
  bytes: Uint8Array,
  { draftsIn = path.dirname(file), syncFolder = true } = {},
): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true });
  const draft = path.join(draftsIn, `${path.basename(file)}.${randomUUID()}.draft`);
  const handle = await open(draft, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  if (syncFolder) await syncFolders([folder]);
}

/** Names in a folder outlive a loss of power when this returns. */
export async function syncFolders(folders: readonly string[]): Promise<void> {
  const above = folders.map((folder) => path.dirname(folder));
  await Promise.all(
    [...new Set([...folders, ...above])].map(async (folder) => {
      const handle = await open(folder, 'r');
      await handle.sync().finally(() => handle.close());
    }),
  );
}

import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { Refusal } from '#kernel';

const WHOLE = /^(\{.*\}) ([0-9a-f]{16})$/;

/**
 * Records in a file that only grows, one line each with a check sum. `append` returns when the record is on the disk. Several processes may append
 * at once: the file's order is everybody's order. A line that was cut short by a crash was never promised and is passed over; a whole line that
 * does not match its sum is damage.
 */
export class DurableLog<T extends object> {
  private readAt = 0;
  private rest = '';
  private broken = false;

  private constructor(
    private readonly handle: FileHandle,
    private readonly file: string,
  ) {}

  static async open<T extends object>(file: string): Promise<DurableLog<T>> {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(file, 'a+', 0o600);
    await syncFolder(path.dirname(file));
    return new DurableLog<T>(handle, file);
  }

  /** Refuses 503 `journal.broken` once a write failed: nobody knows what the disk holds until the file is opened again. */
  async append(record: T): Promise<void> {
    if (this.broken) throw new Refusal('unavailable', 'journal.broken', `a write to ${this.file} failed; open it again`);
    // Its own line break first: whatever a crash left before it stays a line of its own.
    const line = Buffer.from(`\n${seal(JSON.stringify(record))}\n`);
    this.broken = true;
    const { bytesWritten } = await this.handle.write(line);
    if (bytesWritten !== line.length) throw new Refusal('unavailable', 'journal.broken', `no room for a whole line in ${this.file}`);
    await this.handle.datasync();
    this.broken = false;
  }

  /** What was added since the last call, by anybody, in the file's order. Refuses 409 `journal.damaged`. */
  async readNew(): Promise<T[]> {
    const { size } = await this.handle.stat();
    const bytes = Buffer.alloc(size - this.readAt);
    const { bytesRead } = await this.handle.read(bytes, 0, bytes.length, this.readAt);
    const lines = (this.rest + bytes.toString('utf8', 0, bytesRead)).split('\n');
    this.readAt += bytesRead;
    this.rest = lines.pop()!;
    return lines.flatMap((line) => this.parse(line));
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private parse(line: string): T[] {
    const [, json, sum] = WHOLE.exec(line) ?? [];
    if (json === undefined) return [];
    if (sumOf(json) !== sum) throw new Refusal('conflict', 'journal.damaged', `a line of ${this.file} does not match its check sum`);
    return [JSON.parse(json) as T];
  }
}

function seal(json: string): string {
  return `${json} ${sumOf(json)}`;
}

function sumOf(json: string): string {
  return createHash('sha256').update(json).digest('hex').slice(0, 16);
}

/** A new file's name is in its folder only when that is on the disk, too. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

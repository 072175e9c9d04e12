import { closeSync, fstatSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

const LOG_BYTES_MAX = 20 * 2 ** 20;

/** A log file that never outgrows `bytesMax`: the filled one is kept once, as `<file>.1`. */
export class RotatingLog {
  private handle: number;
  private bytes: number;

  constructor(
    readonly file: string,
    private readonly bytesMax = LOG_BYTES_MAX,
  ) {
    this.handle = openSync(file, 'a', 0o600);
    this.bytes = fstatSync(this.handle).size;
  }

  write(chunk: string | Uint8Array): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (this.bytes > 0 && this.bytes + bytes.length > this.bytesMax) this.rotate();
    writeSync(this.handle, bytes);
    this.bytes += bytes.length;
  }

  close(): void {
    closeSync(this.handle);
  }

  private rotate(): void {
    closeSync(this.handle);
    renameSync(this.file, `${this.file}.1`);
    this.handle = openSync(this.file, 'a', 0o600);
    this.bytes = 0;
  }
}

/** The last lines of a log, for an error message; where in the code it was is left in the log. */
export function lastLines(file: string, linesMax = 10): string {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines
      .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
      .slice(-linesMax)
      .join('\n');
  } catch {
    return '';
  }
}

import { entriesAtOnceMax, type LogEntries } from './log-entries.js';

/** A sealed entry as staff see it. */
export interface LogRow {
  readonly index: bigint;
  readonly factId: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

/** The state of the log for screens. */
export interface LogSummary {
  readonly origin: string;
  readonly size: bigint;
  readonly publishedSize: bigint;
  readonly checkpoint: string | undefined;
  /** Committed facts that wait to be sealed. */
  readonly waiting: bigint;
  readonly alarms: readonly { readonly code: string; readonly place: string; readonly detail: string; readonly raisedAt: Date }[];
}

export interface LogSummaries {
  read(): Promise<LogSummary>;
}

const rowsMax = 200;

/** What the console reads of the log. */
export class LogReader {
  constructor(
    private readonly entries: LogEntries,
    private readonly summaries: LogSummaries,
  ) {}

  summary(): Promise<LogSummary> {
    return this.summaries.read();
  }

  /** Up to `rowsMax` entries below `before` (or the newest), newest first. */
  async page(before: bigint | undefined, countMax: number): Promise<LogRow[]> {
    const { size } = await this.summaries.read();
    const end = before !== undefined && before < size ? before : size;
    const count = BigInt(Math.min(countMax, rowsMax, entriesAtOnceMax));
    const entries = await this.entries.read(end > count ? end - count : 0n, end);
    return entries.reverse().map(({ index, factId, bytes }) => ({ index, factId, entry: parse(bytes) }));
  }

  async at(index: bigint): Promise<LogRow | undefined> {
    const [row] = await this.page(index + 1n, 1);
    return row?.index === index ? row : undefined;
  }
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

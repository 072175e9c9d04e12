import type { HashReader, StoredFact, StoredNode } from '#evidence';
import type { FactSpan, Shard } from '#kernel';

/** A table whose rows are facts. The facts table is one, decisions are another; together their numbers have no gaps. */
export interface FactSource {
  /** What it has of each span, in any order. */
  read(spans: readonly FactSpan[]): Promise<StoredFact[][]>;
}

/** A run of consecutive facts of one shard at consecutive log indexes. */
export interface Segment {
  readonly firstIndex: bigint;
  readonly shard: Shard;
  readonly firstSeq: bigint;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly leafHashes: Uint8Array;
}

export interface LogState {
  readonly origin: string;
  /** Leaves appended. */
  readonly size: bigint;
  /** Leaves under the last checkpoint that was published. */
  readonly publishedSize: bigint;
}

/** Facts that wait: numbers above `sealedSeq` up to `lastSeq` are committed. */
export interface Backlog {
  readonly shard: Shard;
  readonly sealedSeq: bigint;
  readonly lastSeq: bigint;
}

/** The log's own records, kept in PostgreSQL. */
export interface LogStore extends HashReader {
  /** The state; made with `origin` on the first call of an installation. */
  open(origin: string): Promise<LogState>;
  /** Shards whose head and cursor differ. */
  readBacklog(): Promise<Backlog[]>;
  /** Appends in one transaction under the log's row lock. False, and nothing done, where the log is not of size `expectedSize` any more. */
  append(expectedSize: bigint, segments: readonly Segment[], nodes: readonly StoredNode[]): Promise<boolean>;
  /** Runs `work` under the log's row lock and records the checkpoint that it returns, if any, as published. */
  publish(work: (state: LogState) => Promise<PublishedCheckpoint | undefined>): Promise<void>;
  lastCheckpoint(): Promise<PublishedCheckpoint | undefined>;
  /** From now on no fact is added by anybody: each attempt fails with 503 `log.rolled_back`. Again is harmless. */
  stopFacts(): Promise<void>;
  letFactsGoOn(): Promise<void>;
  /** Segments that overlap [start, end), in order. */
  readSegments(start: bigint, end: bigint): Promise<Segment[]>;
  findSegment(shard: Shard, seq: bigint): Promise<Segment | undefined>;
  /** The shortest run of indexes that holds every sealed fact with `from <= at < to`. */
  findRange(from: Date | undefined, to: Date | undefined): Promise<{ start: bigint; end: bigint }>;
}

export interface PublishedCheckpoint {
  readonly size: bigint;
  readonly note: string;
}

export interface LogFile {
  /** Below the log's folder, with slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The static files of the log and, elsewhere than PostgreSQL, the last checkpoint signed. */
export interface LogFiles {
  /** Durable when it returns. Writing the same again is harmless. */
  writeTiles(files: readonly LogFile[]): Promise<void>;
  readCheckpoint(): Promise<string | undefined>;
  writeCheckpoint(note: string): Promise<void>;
  readAnchor(): Promise<string | undefined>;
  writeAnchor(note: string): Promise<void>;
}

/** Where alarms go: the log of the process, and a table that the console shows. */
export interface Alarms {
  /** Those raised and not cleared, by this process or any other. */
  open(): Promise<OpenAlarm[]>;
  raise(alarm: OpenAlarm, detail: string): Promise<void>;
  clear(code: string, place: string): Promise<void>;
}

export interface OpenAlarm {
  readonly code: string;
  /** The shard, or empty where it is about the whole log. */
  readonly place: string;
  /** Of `log.rolled_back`: entries that were signed for. It passes when the log has them again, whatever a worker's own anchor says. */
  readonly entriesMin?: bigint | undefined;
}

import type { RangeProof } from '#evidence';
import type { Facts, ShardedId } from '#kernel';
import type { LineFaults } from './line-faults.js';

/** FAILED: its lines were lost (`LINES_LOST`). Only the same lines, sent again, take it out of there. */
export type BatchState = 'RECEIVED' | 'PROCESSING' | 'DONE' | 'FAILED';

export const batchLinesMax = 10_000_000;
/** Without transfer coding. */
export const batchBytesMax = 16 * 1024 ** 3;
/** Batches of one participant that are not done yet; the next one is asked to come later. */
export const batchesOpenMax = 16;

/** Lines that a participant sent together, one signed record each. */
export interface RecordBatch {
  readonly id: ShardedId;
  readonly participant: string;
  /** Of a sealed batch: its signed manifest, exactly as received (it is the first line). */
  readonly manifest: Uint8Array | undefined;
  /** SHA-256 of the certificate it came with, base64url; undefined where it came on another way. */
  readonly certificate: string | undefined;
  /** SHA-256 of the lines, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Without the manifest. */
  readonly linesTotal: number;
  /** Of a sealed batch; where each line is signed, what it is shows when it is taken. */
  readonly faults: LineFaults | undefined;
  readonly receivedAt: Date;
  readonly finishedAt: Date | undefined;
  readonly state: BatchState;
  /** The next line to be taken, counted from 1, and where it begins. */
  readonly nextLine: number;
  readonly nextByte: number;
  readonly accepted: number;
  readonly repeated: number;
  readonly refused: number;
  /** Since when a worker has not found the lines that are left. */
  readonly linesMissingSince: Date | undefined;
}

export type NewBatch = Pick<
  RecordBatch,
  | 'id'
  | 'participant'
  | 'certificate'
  | 'manifest'
  | 'digest'
  | 'sizeBytes'
  | 'linesTotal'
  | 'faults'
  | 'receivedAt'
  | 'nextLine'
  | 'nextByte'
>;

/** What became of one line; `line` counts from 1 and counts blank lines too. */
export interface LineOutcome {
  readonly line: number;
  readonly outcome: 'ACCEPTED' | 'REPEATED' | 'REFUSED';
  readonly jti?: string | undefined;
  readonly code?: string | undefined;
  readonly detail?: string | undefined;
  readonly field?: string | undefined;
}

/** The right to work on a batch until it runs out; every write names its epoch, and a write under a lost lease keeps nothing. */
export interface BatchLease {
  readonly id: ShardedId;
  readonly epoch: number;
}

export class BatchLeaseLost extends Error {
  override readonly name = 'BatchLeaseLost';
}

/** How far a batch is after some lines. */
export interface BatchStep {
  readonly lease: BatchLease;
  readonly outcomes: readonly LineOutcome[];
  readonly nextLine: number;
  readonly nextByte: number;
}

/** Saves what became of lines, in the transaction of their effect. Throws `BatchLeaseLost`. */
export interface BatchProgress {
  advance(step: BatchStep): Promise<void>;
}

export interface BatchStore {
  /** Keeps the resource with its fact; the same lines of the same participant again are answered with the first. Refuses 429 `batch.too_many_open`. */
  receive(batch: NewBatch, facts: Facts): Promise<{ readonly batch: RecordBatch; readonly repeated: boolean }>;
  find(id: ShardedId): Promise<RecordBatch | undefined>;
  findSame(participant: string, digest: string): Promise<RecordBatch | undefined>;
  /** Takes a batch whose lines were missing and are there again, with its fact; undefined where they are not missed. Refuses 429 `batch.too_many_open`. */
  resume(id: ShardedId, facts: Facts): Promise<RecordBatch | undefined>;
  /** Outcomes after line `after`, in order. */
  outcomes(id: ShardedId, after: number, countMax: number, refusedOnly: boolean): Promise<LineOutcome[]>;
  /** Neither done nor failed, and held by nobody, longest waiting first. */
  outstanding(countMax: number): Promise<BatchLease[]>;
  /** Undefined where it is done, failed, unknown or held by somebody. */
  lease(id: ShardedId): Promise<{ readonly lease: BatchLease; readonly batch: RecordBatch } | undefined>;
  /** The end, with its fact. Throws `BatchLeaseLost`. */
  finish(lease: BatchLease, at: Date, facts: Facts): Promise<void>;
  /** The lines were not found at `at`: FAILED, with its fact, where that was so for `msMax` or longer. Throws `BatchLeaseLost`. */
  missLines(lease: BatchLease, at: Date, msMax: number, facts: Facts): Promise<BatchState>;
  /** They were found again. */
  findLines(lease: BatchLease): Promise<void>;
}

/** Where the lines wait. Everything in it is durable before it is told of. */
export interface BatchFiles {
  /** The lines from `nextByte` on. Throws `LinesMissing` before the first of them where not all of the file is there. */
  read(batch: Pick<RecordBatch, 'id' | 'nextByte' | 'sizeBytes'>): AsyncIterable<Uint8Array>;
  /** What stands outside `[start, end)` of a sealed batch's lines, counted from 0. Throws `LinesMissing`. */
  rangeProof(id: ShardedId, start: number, end: number, size: number): Promise<RangeProof>;
  /** The audit path of one line of a sealed batch. */
  inclusionPath(id: ShardedId, index: number, size: number): Promise<Uint8Array[]>;
  /** The lines are records or refusals now and no longer needed; the hashes over a sealed batch stay. */
  discard(id: ShardedId): Promise<void>;
}

import { type CryptoPort, hashBytes, leafHash, sameBytes } from '#evidence';
import { formatFactId, Refusal } from '#kernel';
import { LOG_CODES } from './codes.js';
import { entryBytesOf, readFactRun } from './fact-runs.js';
import type { FactSource, LogStore, Segment } from './store.js';

/** A sealed entry: where it stands and its exact bytes, checked against its leaf. */
export interface SealedEntry {
  readonly index: bigint;
  readonly leaf: Uint8Array;
  readonly bytes: Uint8Array;
  readonly factId: string;
}

export const entriesAtOnceMax = 4096;

/** Reads sealed entries back from the facts themselves. */
export class LogEntries {
  constructor(
    private readonly crypto: CryptoPort,
    private readonly store: LogStore,
    private readonly sources: readonly FactSource[],
  ) {}

  /** The entries [start, end), at most `entriesAtOnceMax`. Refuses `log.fact_altered` where a fact is gone or not the one that was sealed. */
  async read(start: bigint, end: bigint): Promise<SealedEntry[]> {
    const segments = await this.store.readSegments(start, end);
    const runs = await Promise.all(segments.map((segment) => this.readSegment(segment, start, end)));
    return runs.flat();
  }

  private async readSegment(segment: Segment, start: bigint, end: bigint): Promise<SealedEntry[]> {
    const from = start > segment.firstIndex ? Number(start - segment.firstIndex) : 0;
    const to = end < segment.firstIndex + BigInt(segment.count) ? Number(end - segment.firstIndex) : segment.count;
    const afterSeq = segment.firstSeq + BigInt(from) - 1n;
    const run = await readFactRun(this.sources, segment.shard, afterSeq, afterSeq + BigInt(to - from));
    if (run.missingSeq !== undefined) throw altered(formatFactId(segment.shard, run.missingSeq), 'is sealed but gone');
    const entries: SealedEntry[] = [];
    for (const [i, bytes] of entryBytesOf(run.facts).entries()) {
      const leaf = segment.leafHashes.subarray((from + i) * hashBytes, (from + i + 1) * hashBytes);
      const factId = formatFactId(segment.shard, afterSeq + BigInt(i) + 1n);
      if (!sameBytes(await leafHash(this.crypto, bytes), leaf)) throw altered(factId, 'is not the one that was sealed');
      entries.push({ index: segment.firstIndex + BigInt(from + i), leaf, bytes, factId });
    }
    return entries;
  }
}

const altered = (factId: string, what: string) =>
  new Refusal('conflict', LOG_CODES.factAltered, `fact ${factId} ${what}`, { extra: { fact: factId } });

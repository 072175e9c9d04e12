import { type CryptoPort, hashBytes, leafHash, sameBytes } from '#evidence';
import { type FactSpan, formatFactId, Refusal } from '#kernel';
import { LOG_CODES } from './codes.js';
import { entryBytesOf, type FactRun, readFactRuns } from './fact-runs.js';
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
    const parts = segments.map((segment) => partOf(segment, start, end));
    const runs = await readFactRuns(this.sources, parts);
    const entries = await Promise.all(parts.map((part, i) => this.checked(part, runs[i]!)));
    return entries.flat();
  }

  private async checked({ segment, from, afterSeq }: Part, run: FactRun): Promise<SealedEntry[]> {
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

/** What is asked for of a segment: from its entry number `from` on. */
interface Part extends FactSpan {
  readonly segment: Segment;
  readonly from: number;
}

function partOf(segment: Segment, start: bigint, end: bigint): Part {
  const from = start > segment.firstIndex ? Number(start - segment.firstIndex) : 0;
  const to = end < segment.firstIndex + BigInt(segment.count) ? Number(end - segment.firstIndex) : segment.count;
  const afterSeq = segment.firstSeq + BigInt(from) - 1n;
  return { segment, from, shard: segment.shard, afterSeq, upToSeq: afterSeq + BigInt(to - from) };
}

const altered = (factId: string, what: string) =>
  new Refusal('conflict', LOG_CODES.factAltered, `fact ${factId} ${what}`, { extra: { fact: factId } });

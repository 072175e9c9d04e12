import { type CryptoPort, formatTlogProof, Prover, TileNodes, parseCheckpoint, parseNote, utf8 } from '#evidence';
import type { Shard } from '#kernel';
import type { LogEntries } from './log-entries.js';
import type { LogStore } from './store.js';

/** The public proof that a fact stands in the log. */
export interface InclusionProofs {
  /** Undefined until the fact is under a published checkpoint. `proof` is a `.tlog-proof`; its extra line holds the entry. */
  find(shard: Shard, seq: bigint): Promise<{ index: bigint; proof: string } | undefined>;
}

export class StoredInclusionProofs implements InclusionProofs {
  constructor(
    private readonly crypto: CryptoPort,
    private readonly store: LogStore,
    private readonly entries: LogEntries,
  ) {}

  async find(shard: Shard, seq: bigint): Promise<{ index: bigint; proof: string } | undefined> {
    const [segment, published] = await Promise.all([this.store.findSegment(shard, seq), this.store.lastCheckpoint()]);
    if (!segment || !published) return undefined;
    const index = segment.firstIndex + (seq - segment.firstSeq);
    if (index >= published.size) return undefined;
    const [entry] = await this.entries.read(index, index + 1n);
    const { size } = parseCheckpoint(parseNote(utf8.encode(published.note)).text);
    const path = await new Prover(this.crypto, new TileNodes(this.crypto, this.store)).inclusion(index, size);
    return { index, proof: formatTlogProof({ extra: entry!.bytes, index, path, checkpoint: published.note }) };
  }
}

import { encodeLogEntry, type StoredFact } from '#evidence';
import type { Shard } from '#kernel';
import type { FactSource } from './store.js';

/** Consecutive facts of one shard, and the first number that was missing, if one was. */
export interface FactRun {
  readonly facts: readonly StoredFact[];
  readonly missingSeq: bigint | undefined;
}

/**
 * Reads the facts numbered (afterSeq, upToSeq] from all sources. Every number up to `upToSeq` must be committed, so what is not
 * found is a gap: the run ends before it. A number found twice is as wrong as a missing one.
 */
export async function readFactRun(sources: readonly FactSource[], shard: Shard, afterSeq: bigint, upToSeq: bigint): Promise<FactRun> {
  const countMax = Number(upToSeq - afterSeq);
  const found = await Promise.all(sources.map((source) => source.readAfter(shard, afterSeq, countMax)));
  const sorted = found.flat().sort((a, b) => (a.seq < b.seq ? -1 : 1));
  const facts = sorted.filter(({ seq }) => seq <= upToSeq);
  const good = facts.findIndex((fact, i) => fact.seq !== afterSeq + BigInt(i) + 1n);
  const run = good < 0 ? facts : facts.slice(0, good);
  return { facts: run, missingSeq: run.length < countMax ? afterSeq + BigInt(run.length) + 1n : undefined };
}

export const entryBytesOf = (facts: readonly StoredFact[]): Uint8Array[] => facts.map(encodeLogEntry);

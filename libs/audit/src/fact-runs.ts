import { encodeLogEntry, type StoredFact } from '#evidence';
import type { FactSpan } from '#kernel';
import type { FactSource } from './store.js';

/** Consecutive facts of one shard, and the first number that was missing, if one was. */
export interface FactRun {
  readonly facts: readonly StoredFact[];
  readonly missingSeq: bigint | undefined;
}

/**
 * Reads the facts of each span from all sources. Every number up to its `upToSeq` must be committed, so what is not found is a gap: the run
 * ends before it. A number found twice is as wrong as a missing one.
 */
export async function readFactRuns(sources: readonly FactSource[], spans: readonly FactSpan[]): Promise<FactRun[]> {
  const found = await Promise.all(sources.map((source) => source.read(spans)));
  return spans.map((span, i) =>
    runOf(
      span,
      found.flatMap((ofSource) => ofSource[i]!),
    ),
  );
}

function runOf({ afterSeq, upToSeq }: FactSpan, found: readonly StoredFact[]): FactRun {
  const countMax = Number(upToSeq - afterSeq);
  const facts = [...found].sort((a, b) => (a.seq < b.seq ? -1 : 1));
  const good = facts.findIndex((fact, i) => fact.seq !== afterSeq + BigInt(i) + 1n);
  const run = good < 0 ? facts : facts.slice(0, good);
  return { facts: run, missingSeq: run.length < countMax ? afterSeq + BigInt(run.length) + 1n : undefined };
}

export const entryBytesOf = (facts: readonly StoredFact[]): Uint8Array[] => facts.map(encodeLogEntry);

import { invariant, shardOf } from '#kernel';
import { appendFacts, type Database } from '#platform';

export interface ConformanceRun {
  readonly participant: string;
  readonly probes: number;
  /** Names of the probes that failed. */
  readonly failed: readonly string[];
}

/** Keeps how a partner's receiver fared when it was probed, with its fact. */
export async function saveConformanceRun(database: Database, { participant, probes, failed }: ConformanceRun): Promise<void> {
  const shard = shardOf(participant);
  await database.transaction(async (tx) => {
    const fact = { shard, kind: 'participant.probed', participant, body: { probes, failed: [...failed] } };
    const [position] = await appendFacts(tx, [fact]);
    invariant(position, 'a fact has its place');
    await tx.query('INSERT INTO conformance_runs (shard, participant_id, fact_seq, at, probes, failed) VALUES ($1, $2, $3, $4, $5, $6)', [
      shard,
      participant,
      position.seq,
      position.at,
      probes,
      failed,
    ]);
  });
}

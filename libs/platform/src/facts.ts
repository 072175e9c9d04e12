import type { Fact, FactPosition, Facts, Shard } from '#kernel';
import { invariant } from '#kernel';
import { encodeFactBody } from '#evidence';
import type { Tx } from './database.js';

/**
 * Saves facts in the transaction of the state they explain. It takes the head row of each shard, in ascending order, and holds
 * it to the commit, so numbers are gapless and number order is commit order. Call it once per transaction, late: the lock is short.
 */
export async function appendFacts(tx: Tx, facts: Facts): Promise<FactPosition[]> {
  const positions = new Map<Fact, FactPosition>();
  for (const [shard, ofShard] of groupByShard(facts)) {
    const { last_seq, last_at } = await takeNumbers(tx, shard, ofShard.length);
    const first = last_seq - BigInt(ofShard.length) + 1n;
    ofShard.forEach((fact, i) => positions.set(fact, { shard, seq: first + BigInt(i), at: last_at }));
    await insert(tx, shard, first, last_at, ofShard);
  }
  return facts.map((fact) => positions.get(fact)!);
}

function groupByShard(facts: Facts): [Shard, Fact[]][] {
  const groups = new Map<Shard, Fact[]>();
  for (const fact of facts) groups.set(fact.shard, [...(groups.get(fact.shard) ?? []), fact]);
  return [...groups].sort(([a], [b]) => a - b);
}

async function takeNumbers(tx: Tx, shard: Shard, count: number): Promise<{ last_seq: bigint; last_at: Date }> {
  const [head] = await tx.query<{ last_seq: bigint; last_at: Date }>(
    `UPDATE shard_heads
        SET last_seq = last_seq + $2, last_at = greatest(date_trunc('milliseconds', clock_timestamp()), last_at)
      WHERE shard = $1
      RETURNING last_seq, last_at`,
    [shard, count],
  );
  invariant(head, `shard ${shard} has a head row`);
  return head;
}

async function insert(tx: Tx, shard: Shard, first: bigint, at: Date, facts: readonly Fact[]): Promise<void> {
  await tx.query(
    `INSERT INTO facts (shard, seq, at, kind, subject, participant, body)
     SELECT $1, $2::bigint + n - 1, $3, kind, subject, participant, body
       FROM unnest($4::text[], $5::uuid[], $6::text[], $7::text[]) WITH ORDINALITY AS f (kind, subject, participant, body, n)`,
    [
      shard,
      first,
      at,
      facts.map((fact) => fact.kind),
      facts.map((fact) => fact.subject ?? null),
      facts.map((fact) => fact.participant ?? null),
      facts.map((fact) => encodeFactBody(fact.body)),
    ],
  );
}

import type { FactPosition, Facts, Shard } from '#kernel';
import { invariant } from '#kernel';
import { encodeFactBody } from '#evidence';
import { int2Array, textArray, uuidArray } from './binary-arrays.js';
import type { Tx } from './database.js';

/** Time is read when all heads are held; a shard's own never runs backwards. */
const APPEND = `
  WITH held AS MATERIALIZED (
    SELECT shard, last_seq, last_at FROM shard_heads WHERE shard = ANY ($1::smallint[]) ORDER BY shard FOR NO KEY UPDATE
  ), timed AS MATERIALIZED (
    SELECT shard, last_seq, greatest(date_trunc('milliseconds', clock_timestamp()), last_at) AS at FROM held
  ), numbered AS MATERIALIZED (
    SELECT f.*, t.at, t.last_seq + row_number() OVER (PARTITION BY f.shard ORDER BY f.n) AS seq
      FROM unnest($1::smallint[], $2::text[], $3::uuid[], $4::text[], $5::text[])
           WITH ORDINALITY AS f (shard, kind, subject, participant, body, n)
      JOIN timed t ON t.shard = f.shard
  ), counted AS (
    UPDATE shard_heads h SET last_seq = c.seq, last_at = c.at
      FROM (SELECT shard, max(seq) AS seq, max(at) AS at FROM numbered GROUP BY shard) c
     WHERE h.shard = c.shard
  ), saved AS (
    INSERT INTO facts (shard, seq, at, kind, subject, participant, body)
    SELECT shard, seq, at, kind, subject, participant, body FROM numbered
  )
  SELECT shard, seq, at FROM numbered ORDER BY n`;

/**
 * Saves facts in the transaction of the state they explain, in one statement. It takes the head rows in ascending order and holds
 * them to the commit, so numbers are gapless and number order is commit order. Call it once per transaction, late: the lock is short.
 * Answers their positions, in the order asked.
 */
export async function appendFacts(tx: Tx, facts: Facts): Promise<FactPosition[]> {
  const columns = [
    int2Array(facts.map((fact) => fact.shard)),
    textArray(facts.map((fact) => fact.kind)),
    uuidArray(facts.map((fact) => fact.subject)),
    textArray(facts.map((fact) => fact.participant)),
    textArray(facts.map((fact) => encodeFactBody(fact.body))),
  ];
  const positions = await tx.query<{ shard: Shard; seq: bigint; at: Date }>(APPEND, columns, 'append_facts');
  invariant(positions.length === facts.length, 'every shard has a head row');
  return positions;
}

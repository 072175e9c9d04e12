import { randomBytes } from 'node:crypto';
import { type ShardedId, shardOf, uuidV7 } from '#kernel';
import type { SqlRunner } from '#platform';

/** Registers subjects with one score, straight into the tables, fast: for tests and benchmarks that need many. */
export async function addSubjects(owner: SqlRunner, count: number, score = 720): Promise<ShardedId[]> {
  const ids = Array.from({ length: count }, () => {
    const uuid = uuidV7(Date.now(), randomBytes(10));
    return { shard: shardOf(uuid), uuid };
  });
  const columns = [ids.map(({ shard }) => shard), ids.map(({ uuid }) => uuid)];
  await owner.query(
    `INSERT INTO subjects (shard, subject, kind, created_at)
     SELECT shard, subject, 'INDIVIDUAL', now() FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, subject)`,
    columns,
  );
  await owner.query(
    `INSERT INTO standings (shard, subject, kind, version, score, scorecard, factors, updated_at)
     SELECT shard, subject, 'INDIVIDUAL', 1, $3, 'test-1', '[]', now() FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, subject)`,
    [...columns, score],
  );
  return ids;
}

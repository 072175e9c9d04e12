import type { SubjectKind } from '#contract';
import type { Shard, ShardedId } from '#kernel';
import type { SqlRunner } from '#platform';
import type { Factor, Standing, StandingReader } from '../standing.js';
import { readShownRestriction, type RestrictionJson } from './restriction-json.js';

interface StandingRow {
  subject: string;
  kind: SubjectKind;
  version: bigint;
  score: number;
  scorecard: string;
  factors: Factor[];
  restrictions: RestrictionJson[];
}

/** Reads standings, one statement per shard (DESIGN.md, "Shards"): one for one subject, at most 32 for any number. */
export class PgStandingReader implements StandingReader {
  constructor(private readonly sql: SqlRunner) {}

  async load(subjects: readonly ShardedId[]): Promise<(Standing | undefined)[]> {
    const shards = [...new Set(subjects.map(({ shard }) => shard))];
    const found = await Promise.all(
      shards.map((shard) =>
        this.loadShard(
          shard,
          subjects.filter((subject) => subject.shard === shard).map(({ uuid }) => uuid),
        ),
      ),
    );
    const known = new Map(found.flat().map((standing) => [key(standing.subject), standing]));
    return subjects.map((subject) => known.get(key(subject)));
  }

  private async loadShard(shard: Shard, uuids: readonly string[]): Promise<Standing[]> {
    const rows = await this.sql.query<StandingRow>(
      `SELECT subject, kind, version, score, scorecard, factors,
              coalesce((SELECT json_agg(r ORDER BY r.starts_at, r.id)
                          FROM restrictions r WHERE r.shard = s.shard AND r.subject = s.subject AND r.lifted_at IS NULL), '[]') AS restrictions
         FROM standings s WHERE shard = $1 AND subject = ANY ($2::uuid[])`,
      [shard, uuids],
    );
    return rows.map((row) => ({
      subject: { shard, uuid: row.subject },
      kind: row.kind,
      version: row.version,
      score: { value: row.score, version: row.scorecard },
      factors: row.factors,
      restrictions: row.restrictions.map(readShownRestriction),
    }));
  }
}

const key = ({ shard, uuid }: ShardedId): string => `${shard} ${uuid}`;

import type { SubjectKind } from '#contract';
import type { Shard, ShardedId } from '#kernel';
import { int2Array, type SqlRunner, uuidArray } from '#platform';
import type { Factor, Standing, StandingReader } from '../standing.js';
import { type DisputedRecord, findDisputed } from '../dispute/disputed-record.js';
import { readShownRestriction, type RestrictionJson } from './restriction-json.js';

interface StandingRow {
  shard: Shard;
  subject: string;
  kind: SubjectKind;
  version: bigint;
  score: number;
  scorecard: string;
  factors: Factor[];
  disputed: DisputedRecord[];
  restrictions: RestrictionJson[];
}

export const LOAD_STANDINGS = 'SELECT * FROM load_standings($1, $2)';

/** Reads any number of standings in one statement, each row by its shard and subject. */
export class PgStandingReader implements StandingReader {
  constructor(private readonly sql: SqlRunner) {}

  async load(subjects: readonly ShardedId[]): Promise<(Standing | undefined)[]> {
    const rows = await this.sql.query<StandingRow>(
      LOAD_STANDINGS,
      [int2Array(subjects.map(({ shard }) => shard)), uuidArray(subjects.map(({ uuid }) => uuid))],
      'load_standings',
    );
    const known = new Map(rows.map((row) => [key({ shard: row.shard, uuid: row.subject }), readStanding(row)]));
    return subjects.map((subject) => known.get(key(subject)));
  }
}

function readStanding({ shard, subject, kind, version, score, scorecard, factors, disputed, restrictions }: StandingRow): Standing {
  return {
    subject: { shard, uuid: subject },
    kind,
    version,
    score: { value: score, version: scorecard, ...(disputed.length > 0 ? { disputed: true } : {}) },
    factors,
    restrictions: disputed.length === 0 ? restrictions.map(readShownRestriction) : restrictions.map((row) => readFlagged(row, disputed)),
  };
}

function readFlagged(row: RestrictionJson, disputed: readonly DisputedRecord[]) {
  const { cause_iss: iss, cause_jti: rootJti } = row;
  const isDisputed = iss !== null && rootJti !== null && findDisputed(disputed, { iss, rootJti }) !== undefined;
  return { ...readShownRestriction(row), ...(isDisputed ? { disputed: true as const } : {}) };
}

const key = ({ shard, uuid }: ShardedId): string => `${shard} ${uuid}`;

import type { SubjectKind } from '#contract';
import { Interner, type Shard, type ShardedId } from '#kernel';
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
  /** JSON. */
  factors: string;
  disputed: DisputedRecord[];
  restrictions: RestrictionJson[];
}

export const LOAD_STANDINGS = `SELECT shard, subject, kind, version, score, scorecard, factors::text AS factors, disputed, restrictions
                                 FROM load_standings($1, $2)`;

/** Far more than scores of a scorecard, or lists of its reasons. */
const sharedPartsMax = 20_000;
const noRestrictions: Standing['restrictions'] = [];

/**
 * Reads any number of standings in one statement, each row by its shard and subject. Subjects of one score share the object that tells it, and
 * so with factors: a million standings that are each used once would else cost more to collect than to read.
 */
export class PgStandingReader implements StandingReader {
  private readonly scores = new Interner<Standing['score']>(sharedPartsMax);
  private readonly factors = new Interner<readonly Factor[]>(sharedPartsMax);

  constructor(private readonly sql: SqlRunner) {}

  async load(subjects: readonly ShardedId[]): Promise<(Standing | undefined)[]> {
    const rows = await this.sql.query<StandingRow>(
      LOAD_STANDINGS,
      [int2Array(subjects.map(({ shard }) => shard)), uuidArray(subjects.map(({ uuid }) => uuid))],
      'load_standings',
    );
    const known = new Map(rows.map((row) => [key({ shard: row.shard, uuid: row.subject }), this.readStanding(row)]));
    return subjects.map((subject) => known.get(key(subject)));
  }

  private readStanding({ shard, subject, kind, version, score, scorecard, factors, disputed, restrictions }: StandingRow): Standing {
    return {
      subject: { shard, uuid: subject },
      kind,
      version,
      score: this.scores.intern(`${score} ${disputed.length > 0} ${scorecard}`, () =>
        disputed.length > 0 ? { value: score, version: scorecard, disputed: true } : { value: score, version: scorecard },
      ),
      factors: this.factors.intern(factors, () => JSON.parse(factors) as Factor[]),
      restrictions: readRestrictions(restrictions, disputed),
    };
  }
}

function readRestrictions(rows: readonly RestrictionJson[], disputed: readonly DisputedRecord[]): Standing['restrictions'] {
  if (rows.length === 0) return noRestrictions;
  return disputed.length === 0 ? rows.map(readShownRestriction) : rows.map((row) => readFlagged(row, disputed));
}

function readFlagged(row: RestrictionJson, disputed: readonly DisputedRecord[]) {
  const { cause_iss: iss, cause_jti: rootJti } = row;
  const isDisputed = iss !== null && rootJti !== null && findDisputed(disputed, { iss, rootJti }) !== undefined;
  return { ...readShownRestriction(row), ...(isDisputed ? { disputed: true as const } : {}) };
}

const key = ({ shard, uuid }: ShardedId): string => `${shard} ${uuid}`;

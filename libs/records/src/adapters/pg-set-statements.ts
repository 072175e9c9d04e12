import type { JsonWebKey, SetPlace } from '#evidence';
import { type Fact, type FactPosition, invariant, shardOf } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';
import type { AgreedStatement, SetStatementStore } from '../record-set/store.js';

interface StatementRow {
  participant: string;
  set_name: string;
  log_index: bigint;
  before: bigint;
  count: bigint;
  root: Buffer;
  own_half: Buffer;
  key: JsonWebKey;
  our_half: string;
  agreed_at: Date;
  fact_seq: bigint;
}

/** "All" as a time: no record's `iat` reaches it. */
const ALL_TIMES = Number.MAX_SAFE_INTEGER;
/** No log gets so far. */
const ALL_INDEXES = 2n ** 62n;
const COLUMNS = 'participant, set_name, log_index, before, count, root, own_half, key, our_half, agreed_at, fact_seq';

/** Thrown inside a transaction that is not to be: another statement about the same place was first. */
class PlaceTaken extends Error {}

/** Owns `record_set_statements`. The fact's head row, held to the commit, lets one participant's statements be saved one after another. */
export class PgSetStatements implements SetStatementStore {
  constructor(private readonly database: Database) {}

  async find(participant: string, { set, logIndex, before = ALL_TIMES }: SetPlace): Promise<AgreedStatement | undefined> {
    const [row] = await this.database.query<StatementRow>(
      `SELECT ${COLUMNS} FROM record_set_statements WHERE shard = $1 AND participant = $2 AND set_name = $3 AND log_index = $4 AND before = $5`,
      [shardOf(participant), participant, set, logIndex, before],
    );
    return row && toStatement(row);
  }

  async add(fact: Fact, make: (position: FactPosition) => AgreedStatement): Promise<{ statement: AgreedStatement; added: boolean }> {
    let statement: AgreedStatement | undefined;
    try {
      await this.database.transaction(async (tx) => {
        const [position] = await appendFacts(tx, [fact]);
        statement = make(position!);
        if (!(await insert(tx, statement))) throw new PlaceTaken();
      });
      return { statement: statement!, added: true };
    } catch (error) {
      if (!(error instanceof PlaceTaken)) throw error;
      const first = await this.find(statement!.participant, statement!);
      invariant(first, 'a place that is taken has its statement');
      return { statement: first, added: false };
    }
  }

  async list(participant: string, set: string, after: SetPlace | undefined, countMax: number): Promise<AgreedStatement[]> {
    const rows = await this.database.query<StatementRow>(
      `SELECT ${COLUMNS} FROM record_set_statements
        WHERE shard = $1 AND participant = $2 AND set_name = $3 AND (log_index, before) < ($4, $5)
        ORDER BY log_index DESC, before DESC LIMIT $6`,
      [shardOf(participant), participant, set, after?.logIndex ?? ALL_INDEXES, after?.before ?? ALL_TIMES, countMax],
    );
    return rows.map(toStatement);
  }
}

async function insert(tx: Tx, { participant, set, logIndex, before = ALL_TIMES, ...statement }: AgreedStatement): Promise<boolean> {
  const { count, root, ownHalf, key, ourHalf, position } = statement;
  const inserted = await tx.query(
    `INSERT INTO record_set_statements (shard, ${COLUMNS})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING shard`,
    [
      ...[shardOf(participant), participant, set, logIndex, before, count],
      ...[Buffer.from(root), Buffer.from(ownHalf), JSON.stringify(key), ourHalf, position.at, position.seq],
    ],
  );
  return inserted.length > 0;
}

function toStatement(row: StatementRow): AgreedStatement {
  const before = Number(row.before);
  return {
    ...{ participant: row.participant, set: row.set_name, logIndex: row.log_index, before: before === ALL_TIMES ? undefined : before },
    ...{
      count: Number(row.count),
      root: new Uint8Array(row.root),
      ownHalf: new Uint8Array(row.own_half),
      key: row.key,
      ourHalf: row.our_half,
    },
    position: { shard: shardOf(row.participant), seq: row.fact_seq, at: row.agreed_at },
  };
}

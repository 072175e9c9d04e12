import pg from 'pg';
import type { PassPoint } from './crash-point.js';
import { answerWithin, orStatementTimedOut } from './slow-database.js';
import { orFactsStopped } from './stopped-facts.js';

/** Runs SQL. Both a pooled connection and an open transaction are one. */
export interface SqlRunner {
  /** `name`: the statement is hot; it is parsed once per connection and known there by this name. */
  query<Row extends object = Record<string, unknown>>(sql: string, params?: readonly unknown[], name?: string): Promise<Row[]>;
  /** The number by which the binary format names a type of this database. */
  typeOid(type: string): Promise<number>;
}

declare const open: unique symbol;

/** An open transaction: the only thing that stores write through. */
export interface Tx extends SqlRunner {
  readonly [open]: true;
}

/** The role the applications act as. It cannot change or delete a fact (see prisma/migrations). */
const APPLICATION_ROLE = 'tallystick_app';

/**
 * Numbers that PostgreSQL keeps as 64 bits are bigint here too; the default would be a string.
 * For our connections only: the driver's global table also serves Prisma, which reads them its own way.
 */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, BigInt);

/** What the news of an ended statement may take to us on a machine that is busy. */
const newsMs = 1_000;

/** The one source of truth. A statement whose reply was lost is never repeated here: the caller looks its key up. */
export class Database implements SqlRunner {
  private readonly oids = new Map<string, number>();

  private constructor(
    readonly pool: pg.Pool,
    private readonly passPoint: PassPoint,
    private readonly answerMsMax: number,
  ) {}

  /**
   * Connects and refuses to start where an acknowledged commit could be lost. `statementMsMax`: longer PostgreSQL works on no statement, a lock
   * that it waits for included, and longer nobody waits for a connection (`StatementTimedOut`); 0: for ever. It ends no commit. Who still has
   * no answer after half as long again and a second, because a disk or a replica stalls, is told so (`LostReply`); the connection stays taken until it comes.
   */
  static async open(url: string, connectionsMax = 10, passPoint: PassPoint = () => undefined, statementMsMax = 0): Promise<Database> {
    const pool = new pg.Pool({
      connectionString: url,
      max: connectionsMax,
      // With the connection, so that it costs no call.
      options: `-c role=${APPLICATION_ROLE}${statementMsMax > 0 ? ` -c statement_timeout=${statementMsMax}` : ''}`,
      connectionTimeoutMillis: statementMsMax,
      types,
      allowExitOnIdle: true,
      // A machine that vanished without a word is missed after some 20 s: who waits for its answer is told that there is none.
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    // An idle connection that breaks is dropped by the pool; the next query says so itself.
    pool.on('error', () => undefined);
    const database = new Database(pool, passPoint, statementMsMax && statementMsMax * 1.5 + newsMs);
    // A restored database numbers its types anew, and is met by new connections only.
    pool.on('connect', () => database.oids.clear());
    try {
      await database.refuseUnsafeDurability();
    } catch (error) {
      await pool.end();
      throw error;
    }
    return database;
  }

  async query<Row extends object>(sql: string, params: readonly unknown[] = [], name?: string): Promise<Row[]> {
    const answer = answerWithin(this.answerMsMax, this.pool.query(statement(sql, params, name)));
    const { rows } = await answer.catch(rethrow);
    this.passPoint('statement.after');
    return rows as Row[];
  }

  async typeOid(type: string): Promise<number> {
    const known = this.oids.get(type);
    if (known !== undefined) return known;
    const [row] = await this.query<{ oid: number }>('SELECT $1::regtype::oid AS oid', [type]);
    this.oids.set(type, row!.oid);
    return row!.oid;
  }

  /** One transaction. It commits when `work` returns and rolls back when it throws. */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch(rethrow);
    let broken: Error | undefined;
    // The pool listens to idle connections only: one that breaks while it is lent would end the process if nobody heard of it.
    const onBreak = (error: Error) => (broken = error);
    client.on('error', onBreak);
    const giveBack = () => {
      if (!broken) client.off('error', onBreak);
      client.release(broken);
    };
    let silent = false;
    const ask: Ask = (query) => answerWithin(this.answerMsMax, answerOf(client, query), () => (silent = true));
    try {
      await ask({ text: 'BEGIN' });
      const result = await work(this.asTx(ask));
      this.passPoint('commit.before');
      await ask({ text: 'COMMIT' });
      this.passPoint('commit.after');
      giveBack();
      return result;
    } catch (error) {
      const undone = client.query('ROLLBACK').catch((failure: unknown) => (broken = failure as Error));
      // It stands behind what has no answer: the connection is lent again only after both.
      void undone.then(giveBack);
      if (!silent) await undone;
      rethrow(error);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async refuseUnsafeDurability(): Promise<void> {
    const [row] = await this.query<{ sync: string; fsync: string }>(
      `SELECT current_setting('synchronous_commit') AS sync, current_setting('fsync') AS fsync`,
    );
    if (row?.sync === 'off' || row?.fsync === 'off') {
      throw new Error('PostgreSQL runs with synchronous_commit or fsync off: acknowledged decisions could be lost. Turn both on.');
    }
  }

  private asTx(ask: Ask): Tx {
    const query = async (sql: string, params: readonly unknown[] = [], name?: string) => {
      const { rows } = await ask(statement(sql, params, name));
      this.passPoint('statement.after');
      return rows;
    };
    return { query, typeOid: (type: string) => this.typeOid(type) } as unknown as Tx;
  }
}

type Ask = (query: pg.QueryConfig) => Promise<pg.QueryResult>;

/**
 * What `client.query(query)` answers, asked with a callback. For who asks without one, pg makes promises of which each keeps the one before (the
 * engine's doing, until it has optimised that code: some 2,000 records): every row and parameter survived two collections of the young
 * generation, which took 12 ms instead of 4 (2026-11-23, pg 8, Node 24).
 */
async function answerOf(client: pg.PoolClient, query: pg.QueryConfig): Promise<pg.QueryResult> {
  try {
    return await new Promise((resolve, reject) => client.query(query, (error, result) => (error ? reject(error) : resolve(result))));
  } catch (error) {
    // Its stack leads to who asked, not to the socket.
    Error.captureStackTrace(error as Error);
    throw error;
  }
}

function rethrow(error: unknown): never {
  throw orStatementTimedOut(orFactsStopped(error));
}

function statement(text: string, values: readonly unknown[], name: string | undefined): pg.QueryConfig {
  return name === undefined ? { text, values: values as unknown[] } : { text, values: values as unknown[], name };
}

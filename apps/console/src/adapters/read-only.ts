import { Refusal } from '#kernel';
import type { Database, SqlRunner } from '#platform';

const STATEMENT_MS_MAX = 5_000;
const QUERY_CANCELED = '57014';

/**
 * How the console reads: PostgreSQL itself refuses a write here, and a search that would hold the database for long is cut.
 * Refuses 422 `search.too_wide`.
 */
export class ReadOnly implements SqlRunner {
  constructor(private readonly database: Database) {}

  typeOid(type: string): Promise<number> {
    return this.database.typeOid(type);
  }

  async query<Row extends object>(sql: string, params: readonly unknown[] = []): Promise<Row[]> {
    try {
      return await this.database.transaction(async (tx) => {
        await tx.query(`SET TRANSACTION READ ONLY`);
        await tx.query(`SET LOCAL statement_timeout = ${STATEMENT_MS_MAX}`);
        return tx.query<Row>(sql, params);
      });
    } catch (error) {
      if ((error as { code?: unknown }).code !== QUERY_CANCELED) throw error;
      throw new Refusal('unprocessable', 'search.too_wide', 'this would take too long; name a shorter time or a subject', {
        limit: `statementMsMax=${STATEMENT_MS_MAX}`,
      });
    }
  }
}

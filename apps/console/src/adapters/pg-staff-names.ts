import { isUuid } from '#kernel';
import type { SqlRunner } from '#platform';

/** Facts and requests name an account by its id; a screen shows its name. */
export class PgStaffNames {
  constructor(private readonly sql: SqlRunner) {}

  async find(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.sql.query<{ id: string; name: string }>('SELECT id, name FROM staff_accounts WHERE id = ANY ($1::uuid[])', [
      [...new Set(ids)].filter(isUuid),
    ]);
    return new Map(rows.map(({ id, name }) => [id, name]));
  }
}

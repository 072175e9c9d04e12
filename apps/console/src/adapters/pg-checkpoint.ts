import type { SqlRunner } from '#platform';
import type { CheckpointView } from '../api.js';

/** The last checkpoint that was published. A signed note (c2sp.org/tlog-checkpoint) starts with origin, size and root hash. */
export class PgCheckpoint {
  constructor(private readonly sql: SqlRunner) {}

  async last(): Promise<CheckpointView | undefined> {
    const [row] = await this.sql.query<{ note: string; signed_at: Date }>(
      'SELECT note, signed_at FROM log_checkpoints ORDER BY size DESC LIMIT 1',
    );
    if (!row) return undefined;
    const [origin = '', size = '0', rootHash = ''] = row.note.split('\n');
    return { origin, size, rootHash, sealedAt: row.signed_at.toISOString(), note: row.note };
  }
}

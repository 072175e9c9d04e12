import { appendFacts, type Database, type Tx } from '#platform';
import type { OpenAnswerRow, OpenAnswerStore } from '../open-answers.js';
import { takeHead } from './pg-allowance-rows.js';

/** Open answers on PostgreSQL, each with its fact. */
export class PgOpenAnswers implements OpenAnswerStore {
  constructor(private readonly database: Database) {}

  async note(row: OpenAnswerRow): Promise<void> {
    await this.database.transaction((tx) => note(tx, row));
  }
}

async function note(tx: Tx, { subject, caller, key, decision, service, outcome, answeredAt }: OpenAnswerRow): Promise<void> {
  const at = await takeHead(tx, subject.shard);
  const name = [subject.shard, subject.uuid, caller, key];
  const known = await tx.query('SELECT FROM open_answers WHERE shard = $1 AND subject = $2 AND caller = $3 AND key = $4', name);
  if (known.length > 0) return;
  const body = { decision: decision.uuid, caller, service, outcome, answeredAt: answeredAt.toISOString() };
  const [position] = await appendFacts(tx, [{ shard: subject.shard, kind: 'decision.answered_open', subject: subject.uuid, body }]);
  await tx.query(
    `INSERT INTO open_answers (shard, subject, caller, key, decision, service, outcome, answered_at, reported_at, seq)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [...name, decision.uuid, service, outcome, answeredAt, at, position!.seq],
  );
}

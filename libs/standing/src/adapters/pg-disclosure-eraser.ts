import { type Fact, type Shard, SHARDS } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';
import type { DisclosureEraser } from '../disclosure/store.js';

/** The rows of another process that is at it are left to it. The time is PostgreSQL's. */
const ERASE = `
  WITH old AS MATERIALIZED (
    SELECT o.* FROM unnest($1::smallint[]) AS s (shard)
     CROSS JOIN LATERAL (SELECT shard, consent, n FROM disclosures d
                          WHERE d.shard = s.shard AND d.content IS NOT NULL AND d.keep_until <= clock_timestamp() - make_interval(days => $2)
                          ORDER BY d.keep_until LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) o
     LIMIT $3)
  UPDATE disclosures d SET content = NULL, salt = NULL, seed = NULL, holder_key = NULL
    FROM old WHERE d.shard = old.shard AND d.consent = old.consent AND d.n = old.n
  RETURNING d.shard`;

/** An answer to a threshold that binds nobody any more. Its row stays: it is what readers hold. */
const FORGET = `
  WITH old AS MATERIALIZED (
    SELECT o.* FROM unnest($1::smallint[]) AS s (shard)
     CROSS JOIN LATERAL (SELECT shard, subject, participant_id FROM threshold_answers t
                          WHERE t.shard = s.shard AND t.answer IS NOT NULL AND t.bound_until <= clock_timestamp() - make_interval(days => $2)
                          ORDER BY t.bound_until LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) o
     LIMIT $3)
  UPDATE threshold_answers t SET at_least = NULL, answer = NULL, replay_until = NULL, bound_until = NULL
    FROM old WHERE t.shard = old.shard AND t.subject = old.subject AND t.participant_id = old.participant_id
  RETURNING t.shard`;

/** Erases the contents of `disclosures` and `threshold_answers`; that something was told, to whom, when and what for stays in `consent_uses`. */
export class PgDisclosureEraser implements DisclosureEraser {
  constructor(private readonly database: Database) {}

  async erase(daysAgo: number, countMax: number): Promise<number> {
    return await this.database.transaction(async (tx) => {
      const told = await shardsOf(tx, ERASE, daysAgo, countMax);
      const answers = await shardsOf(tx, FORGET, daysAgo, countMax);
      const facts = SHARDS.flatMap((shard): Fact[] => {
        const [contents, thresholds] = [countOf(told, shard), countOf(answers, shard)];
        return contents + thresholds === 0 ? [] : [{ shard, kind: 'rating.erased', body: { contents, thresholds, daysAgo } }];
      });
      const [first, ...rest] = facts;
      if (first) await appendFacts(tx, [first, ...rest]);
      return told.length + answers.length;
    });
  }
}

async function shardsOf(tx: Tx, sql: string, daysAgo: number, countMax: number): Promise<Shard[]> {
  return (await tx.query<{ shard: Shard }>(sql, [SHARDS, daysAgo, countMax])).map(({ shard }) => shard);
}

const countOf = (shards: readonly Shard[], shard: Shard): number => shards.filter((one) => one === shard).length;

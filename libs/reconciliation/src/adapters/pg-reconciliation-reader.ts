import { type Shard, shardOf, SHARDS, type ShardedId } from '#kernel';
import type { SqlRunner } from '#platform';
import type { Reconciliation, ReconciliationState } from '../reconciliation.js';
import type { OutcomeView } from '../store.js';
import { type OutcomeRow, RECONCILIATION_COLUMNS, type ReconciliationRow, toOutcomeView, toReconciliation } from './reconciliation-rows.js';

export interface ReconciliationFilter {
  readonly participant?: string | undefined;
  readonly states?: readonly ReconciliationState[] | undefined;
}

/** Reads reconciliations; everything of a participant is on its shard. */
export class PgReconciliationReader {
  constructor(private readonly sql: SqlRunner) {}

  async find({ shard, uuid }: ShardedId): Promise<Reconciliation | undefined> {
    const [row] = await this.sql.query<ReconciliationRow>(
      `SELECT ${RECONCILIATION_COLUMNS} FROM reconciliations WHERE shard = $1 AND id = $2`,
      [shard, uuid],
    );
    return row && toReconciliation(row);
  }

  /** Those of all participants, the newest first, older than `before`. Ids begin with the time of receipt: their order is the order of arrival. */
  async newest({ participant, states }: ReconciliationFilter, before: string | undefined, countMax: number): Promise<Reconciliation[]> {
    const shards: readonly Shard[] = participant === undefined ? SHARDS : [shardOf(participant)];
    const rows = await this.sql.query<ReconciliationRow>(
      `SELECT r.*
         FROM unnest($1::smallint[]) AS p (on_shard)
        CROSS JOIN LATERAL (
          SELECT ${RECONCILIATION_COLUMNS} FROM reconciliations
           WHERE shard = p.on_shard AND ($3::uuid IS NULL OR id < $3)
             AND ($4::text IS NULL OR participant = $4) AND ($5::text[] IS NULL OR state = ANY ($5))
           ORDER BY id DESC LIMIT $2) r
        ORDER BY r.id DESC LIMIT $2`,
      [shards, countMax, before ?? null, participant ?? null, states ?? null],
    );
    return rows.map(toReconciliation);
  }

  /** Outcomes after number `after`, in their order: only MATCHED, or only breaks. */
  async outcomes({ shard, uuid }: ShardedId, side: 'matches' | 'breaks', after: number, countMax: number): Promise<OutcomeView[]> {
    const rows = await this.sql.query<OutcomeRow>(
      `SELECT o.n AS outcome_n, o.kind, o.reason, o.identified_by AS outcome_by, o.line, o.payment, o.payment_shard, o.payment_decision,
              o.payment_reference, o.payment_minor, o.payment_currency, o.payment_confirmed_at, l.*
         FROM reconciliation_outcomes o
         LEFT JOIN statement_lines l ON l.shard = o.shard AND l.reconciliation = o.reconciliation AND l.n = o.line
        WHERE o.shard = $1 AND o.reconciliation = $2 AND o.n > $3 AND o.kind ${side === 'matches' ? '=' : '<>'} 'MATCHED'
        ORDER BY o.n LIMIT $4`,
      [shard, uuid, after, countMax],
    );
    return rows.map(toOutcomeView);
  }

  /** Of these payments (by reservation), which were taken by lines of this participant, and in which reconciliation. */
  async takenPayments({ shard }: Pick<ShardedId, 'shard'>, reservations: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.sql.query<{ payment: string; reconciliation: string }>(
      `SELECT payment, reconciliation FROM reconciliation_outcomes
        WHERE shard = $1 AND payment = ANY ($2::uuid[]) AND line IS NOT NULL AND kind <> 'DUPLICATE'`,
      [shard, reservations],
    );
    return new Map(rows.map(({ payment, reconciliation }) => [payment, reconciliation]));
  }
}

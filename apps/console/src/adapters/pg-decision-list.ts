import { answerOf, type DecisionDetails } from '#decisions';
import { DECISION_COLUMNS, readDecision, type StoredDecision } from '#decisions/adapters/pg-decision-ledger';
import { formatId, formatMinor } from '#kernel';
import type { SqlRunner } from '#platform';
import type { DecisionRow, Outcome, Page } from '../api.js';
import { mergePage, parseCursor } from '../audit/page-cursor.js';
import { pageRows } from './pg-fact-log.js';
import { continueAt, cursorOf, findShardBounds } from './pg-shard-bounds.js';

export interface DecisionFilter {
  readonly outcome?: Outcome | undefined;
  readonly service?: string | undefined;
}

interface Row extends StoredDecision {
  readonly payment_reference: string | null;
  readonly state: string | null;
}

/** Recent decisions of all shards, newest first. */
export class PgDecisionList {
  constructor(private readonly sql: SqlRunner) {}

  /** A page. Refuses `cursor.malformed`, `search.too_wide`. */
  async page(filter: DecisionFilter, before: string | undefined): Promise<Page<DecisionRow>> {
    const bounds = await findShardBounds(this.sql, {});
    const cursor = before === undefined ? cursorOf(bounds) : parseCursor(before);
    const { shards, below } = continueAt(bounds, cursor);
    const offered = await this.sql.query<Row>(
      `SELECT d.*, r.state, r.payment_reference
         FROM unnest($1::smallint[], $2::bigint[]) AS p (shard, below)
        CROSS JOIN LATERAL (
          SELECT ${DECISION_COLUMNS} FROM decisions t
           WHERE t.shard = p.shard AND t.seq < p.below
             AND ($4::text IS NULL OR t.outcome = $4) AND ($5::text IS NULL OR t.service = $5)
           ORDER BY t.seq DESC LIMIT $3) d
         LEFT JOIN reservations r ON r.shard = d.shard AND r.reservation = d.decision`,
      [shards, below, pageRows + 1, filter.outcome ?? null, filter.service ?? null],
    );
    const { rows, next } = mergePage(offered, cursor, pageRows);
    return { rows: rows.map(present), next };
  }
}

function present(row: Row): DecisionRow {
  const details = JSON.parse(row.details) as DecisionDetails;
  const decision = readDecision(row);
  return {
    id: formatId('dec', decision.decision),
    at: row.at.toISOString(),
    outcome: row.outcome,
    service: row.service,
    mode: details.mode,
    subject: formatId('sub', decision.subject),
    money: { amount: formatMinor(BigInt(details.amount), details.currency), currency: details.currency },
    reasons: answerOf(decision).reasons.map(({ text }) => text),
    paymentReference: row.payment_reference,
    reservationState: row.state,
  };
}

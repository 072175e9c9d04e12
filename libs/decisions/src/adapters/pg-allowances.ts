import { LostReply, outcomeUnknown, Refusal, type ShardedId } from '#kernel';
import { type Database, orLostReply, type Tx } from '#platform';
import type { AllowanceKnown } from '../allowance.js';
import type { AllowanceDraft, AllowanceSettlementAsk, AllowanceStore, Opening, Settled } from '../allowance-store.js';
import { openAllowance } from './pg-allowance-opening.js';
import { findAllowance } from './pg-allowance-rows.js';
import { settleAllowance } from './pg-allowance-settlement.js';

/** Allowances on PostgreSQL. Each step is one transaction under the subject's head row, so none of them meets another half done. */
export class PgAllowances implements AllowanceStore {
  constructor(private readonly database: Database) {}

  async open(draft: AllowanceDraft): Promise<Opening> {
    return await this.alone((tx) => openAllowance(tx, draft));
  }

  async settle(ask: AllowanceSettlementAsk): Promise<Settled> {
    return await this.alone((tx) => settleAllowance(tx, ask));
  }

  async find(id: ShardedId): Promise<{ readonly known: AllowanceKnown; readonly at: Date } | undefined> {
    const known = await findAllowance(this.database, id);
    if (!known) return undefined;
    const [now] = await this.database.query<{ at: Date }>('SELECT clock_timestamp() AS at');
    return { known, at: now!.at };
  }

  /** Whoever gets no answer repeats the step with the same words and hears what it did. */
  private async alone<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    let refusal: Refusal | undefined;
    const told = this.database.transaction(work).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      refusal = error;
      return undefined as T;
    });
    const answer = await orLostReply(told).catch((error: unknown) => {
      throw error instanceof LostReply ? outcomeUnknown(error.cause) : error;
    });
    if (refusal) throw refusal;
    return answer;
  }
}

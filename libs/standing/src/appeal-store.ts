import type { ShardedId } from '#kernel';
import type { Appeal } from './appeal.js';
import type { LiftedWhy, ImposedRestriction } from './imposed.js';
import type { OrderRequest } from './staff-order.js';

/** Appeals and staff orders, inside one transaction that holds their subject. */
export interface AppealBook {
  /** Every restriction has one appeal at most. */
  appealOf(subject: ShardedId, restriction: string): Promise<Appeal | undefined>;
  saveAppeal(appeal: Appeal): Promise<void>;
  order(subject: ShardedId, id: string): Promise<OrderRequest | undefined>;
  orderByKey(subject: ShardedId, by: string, key: string): Promise<OrderRequest | undefined>;
  saveOrder(request: OrderRequest): Promise<void>;
  /** Standing or lifted. */
  restriction(subject: ShardedId, id: string): Promise<ImposedRestriction | undefined>;
}

/** A restriction with all that became of it. */
export interface RestrictionHistory {
  readonly restriction: ImposedRestriction;
  readonly liftedAt?: Date | undefined;
  readonly liftedWhy?: LiftedWhy | undefined;
  readonly appeal?: Appeal | undefined;
}

/** A bank that was told of a restriction, or used a record, and has not acknowledged yet that it is lifted, or withdrawn. */
export interface OpenRetraction {
  readonly event: string;
  readonly participant: string;
  readonly subject: ShardedId;
  /** Of a restriction that was lifted. */
  readonly restriction?: string | undefined;
  /** Of a record that was withdrawn: its name for this bank. */
  readonly record?: string | undefined;
  readonly since: Date;
  /** How often the bank did not take the event, by poll or by webhook, and the last reason. */
  readonly failures: number;
  readonly failure?: string | undefined;
  readonly retryAt?: Date | undefined;
  /** Since when its webhook has given up: somebody must have it sent again, or the bank must poll. */
  readonly deadAt?: Date | undefined;
}

/** Lists for people, outside of any transaction. */
export interface RestrictionReader {
  /** Those that stand and those that were lifted, the newest first; undefined for a subject that is not registered. */
  ofSubject(subject: ShardedId): Promise<RestrictionHistory[] | undefined>;
  /** What is due first comes first. */
  openAppeals(countMax: number): Promise<Appeal[]>;
  /** Open appeals of which staff are to be reminded by now. */
  appealsToRemind(at: Date, countMax: number): Promise<Appeal[]>;
  /** Oldest first. */
  waitingOrders(countMax: number): Promise<OrderRequest[]>;
  /** Oldest first. */
  openRetractions(countMax: number): Promise<OpenRetraction[]>;
}

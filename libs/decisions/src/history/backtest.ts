import { Refusal, type Shard } from '#kernel';
import type { Assumption, Beginning } from './redecide.js';
import type { TallyJson } from './tally.js';

export type BacktestState = 'REQUESTED' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED';

/** What is asked: fixed from then on, so that the report is a function of it and of the history. */
export interface BacktestQuestion {
  /** The policy in canonical form (RFC 8785) with its hash. Undefined: every decision by the version that took it. */
  readonly policy: { readonly text: string; readonly hash: string } | undefined;
  /** Decisions in [from, to) are decided again; earlier ones count as they really did. */
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  readonly assume: Assumption;
  readonly begin: Beginning;
}

export interface Backtest extends BacktestQuestion {
  /** UUID. */
  readonly id: string;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  /** The last number of each shard that belongs to the history. */
  readonly bounds: ReadonlyMap<Shard, bigint>;
  readonly state: BacktestState;
  /** Decisions read, and how many there are: the earlier ones, which are only counted, too. */
  readonly progress: { readonly done: bigint; readonly total: bigint };
  /** The report's JSON text. */
  readonly report: string | undefined;
  readonly problem: string | undefined;
  readonly finishedAt: Date | undefined;
}

/** Names a request of somebody's: the same again is the same back-test. */
export interface BacktestKey {
  readonly key: string;
  /** SHA-256 of the question, hex. */
  readonly digest: string;
}

export interface NewBacktest extends Omit<Backtest, 'state' | 'progress' | 'report' | 'problem' | 'finishedAt'> {
  readonly request: BacktestKey | undefined;
}

/** How far one shard is. */
export interface BacktestPart {
  readonly shard: Shard;
  readonly total: bigint;
  readonly decided: bigint;
  readonly afterSubject: string | undefined;
  readonly isDone: boolean;
  readonly tally: TallyJson | undefined;
  /** SHA-256 chain over what was read, hex. */
  readonly digest: string;
}

/** The right to work on a back-test, until it runs out or another takes it. */
export interface BacktestLease {
  readonly id: string;
  readonly epoch: number;
}

/** Another worker has it now, it was cancelled or it has ended: stop, nothing more may be saved. */
export class BacktestLost extends Error {}

export interface BacktestStore {
  /** Saves the request with its fact. False: its key was used meanwhile, and nothing was saved. */
  add(request: NewBacktest): Promise<boolean>;
  findByKey(requestedBy: string, key: string): Promise<{ readonly id: string; readonly digest: string } | undefined>;
  find(id: string): Promise<Backtest | undefined>;
  /** Newest first. */
  list(countMax: number): Promise<Backtest[]>;
  /** Ids that nobody works on and that are not finished, with the epoch they would be taken from. */
  outstanding(countMax: number): Promise<BacktestLease[]>;
  lease(id: string, leaseMs: number): Promise<BacktestLease | undefined>;
  parts(id: string): Promise<BacktestPart[]>;
  /** Where no parts are yet. Throws `BacktestLost`, as all that follow do. */
  begin(lease: BacktestLease, parts: readonly BacktestPart[], leaseMs: number): Promise<void>;
  savePart(lease: BacktestLease, part: BacktestPart, leaseMs: number): Promise<void>;
  /** Saves the report with its fact. */
  finish(lease: BacktestLease, report: string, reportHash: string): Promise<void>;
  fail(lease: BacktestLease, problem: string): Promise<void>;
  /** Gives the lease back after an error that may pass. */
  release(lease: BacktestLease, retryAfterMs: number): Promise<void>;
  /** False: it has ended already. */
  cancel(id: string): Promise<boolean>;
}

export const backtestUnknown = () => new Refusal('not_found', 'backtest.unknown', 'there is no such back-test');

export const noHistory = () =>
  new Refusal('unprocessable', 'backtest.no_history', 'no decision was recorded in this time: there is nothing to decide again');

export const otherCurrency = (asked: string, known: readonly string[]) =>
  new Refusal('unprocessable', 'backtest.other_currency', `this policy decides in ${asked}; the history is in ${known.join(', ')}`, {
    field: '/currency',
  });

export const emptyRange = () => new Refusal('malformed', 'backtest.range_empty', '`to` must be after `from`', { field: '/to' });

export const backtestsFull = (outstandingMax: number) =>
  new Refusal('conflict', 'backtest.too_many', 'so many back-tests wait already: let one end or cancel it', {
    limit: `outstandingMax=${outstandingMax}`,
  });

export const backtestEnded = (state: BacktestState) =>
  new Refusal('conflict', 'backtest.ended', `this back-test is ${state}: nothing is left to cancel`);

export const backtestNotDone = (state: BacktestState) =>
  new Refusal('conflict', 'backtest.not_done', `this back-test is ${state}: it has no report`, { extra: { state } });

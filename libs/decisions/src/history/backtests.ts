import { canonicalize } from '#evidence';
import { uuidV7 } from '#kernel';
import { compilePolicy, parsePolicy, type PolicyBook, policyUnknown } from '#policies';
import {
  type Backtest,
  backtestEnded,
  type BacktestQuestion,
  backtestsFull,
  type BacktestStore,
  backtestUnknown,
  emptyRange,
  noHistory,
  otherCurrency,
} from './backtest.js';
import type { DecisionHistory } from './decision-history.js';

/** A document, the number of a drafted version, or each decision's own version. */
export type AskedPolicy = { readonly document: unknown } | { readonly version: bigint } | 'RECORDED';

export type BacktestAsk = Omit<BacktestQuestion, 'policy'> & { readonly policy: AskedPolicy };

/** They share one worker's time. */
export const outstandingMax = 20;

/** Asks for back-tests and tells how they are doing. The work itself is `BacktestRunner`'s. */
export class Backtests {
  constructor(
    private readonly store: BacktestStore,
    private readonly history: DecisionHistory,
    private readonly book: PolicyBook,
    private readonly sha256Hex: (text: string) => string,
  ) {}

  /**
   * @param random at least 10 unpredictable bytes.
   * Refuses 400 `policy.malformed` and `backtest.range_empty`, 404 `policy.unknown`, 422 `policy.inconsistent`, `backtest.no_history` and
   * `backtest.other_currency`, 409 `backtest.too_many`.
   */
  async request(ask: BacktestAsk, requestedBy: string, at: Date, random: Uint8Array): Promise<Backtest> {
    if (ask.from && ask.to && ask.from >= ask.to) throw emptyRange();
    const policy = await this.policyOf(ask.policy);
    if ((await this.store.outstanding(outstandingMax)).length >= outstandingMax) throw backtestsFull(outstandingMax);
    const bounds = await this.history.heads();
    if (!(await this.hasHistory(bounds, ask))) throw noHistory();
    const id = uuidV7(at.getTime(), random);
    await this.store.add({ ...ask, policy, id, requestedBy, requestedAt: at, bounds });
    return await this.get(id);
  }

  /** Refuses 404 `backtest.unknown`. */
  async get(id: string): Promise<Backtest> {
    const found = await this.store.find(id);
    if (!found) throw backtestUnknown();
    return found;
  }

  list(countMax: number): Promise<Backtest[]> {
    return this.store.list(countMax);
  }

  /** Whoever works on it stops at the next chance. Refuses 404 `backtest.unknown` and 409 `backtest.ended`. */
  async cancel(id: string): Promise<Backtest> {
    if (await this.store.cancel(id)) return await this.get(id);
    throw backtestEnded((await this.get(id)).state);
  }

  private async policyOf(asked: AskedPolicy): Promise<BacktestQuestion['policy']> {
    if (asked === 'RECORDED') return undefined;
    const text = 'document' in asked ? canonicalize(parsePolicy(asked.document)) : await this.textOf(asked.version);
    const hash = this.sha256Hex(text);
    const { currency } = compilePolicy(parsePolicy(JSON.parse(text)), hash);
    const currencies = await this.currencies();
    if (currencies.length > 0 && !currencies.includes(currency)) throw otherCurrency(currency, currencies);
    return { text, hash };
  }

  private async textOf(version: bigint): Promise<string> {
    const found = await this.book.find(version);
    if (!found) throw policyUnknown(version);
    return found.text;
  }

  /** Of every version that ever decided. */
  private async currencies(): Promise<string[]> {
    const decided = (await this.book.list()).filter(({ activatedAt }) => activatedAt !== undefined);
    return [...new Set(decided.map(({ text }) => parsePolicy(JSON.parse(text)).currency))];
  }

  private async hasHistory(bounds: Backtest['bounds'], { from, to }: BacktestAsk): Promise<boolean> {
    for (const [shard, untilSeq] of bounds) {
      const span = await this.history.span(shard, untilSeq);
      if (span && !(from && span.lastAt < from) && !(to && span.firstAt >= to)) return true;
    }
    return false;
  }
}

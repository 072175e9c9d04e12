import { canonicalize } from '#evidence';
import { uuidV7 } from '#kernel';
import { compilePolicy, parsePolicy, type PolicyBook, policyUnknown } from '#policies';
import {
  type Backtest,
  type BacktestKey,
  backtestEnded,
  type BacktestQuestion,
  backtestsFull,
  type BacktestStore,
  backtestUnknown,
  emptyRange,
  type NewBacktest,
  noHistory,
  otherCurrency,
} from './backtest.js';
import { keyReused } from '../codes.js';
import type { DecisionHistory } from './decision-history.js';

/** A document, the number of a drafted version, or each decision's own version. */
export type AskedPolicy = { readonly document: unknown } | { readonly version: bigint } | 'RECORDED';

export type BacktestAsk = Omit<BacktestQuestion, 'policy'> & { readonly policy: AskedPolicy };

/** Somebody who may not know whether they were heard. */
export interface Asker {
  readonly by: string;
  readonly key: string;
}

export interface AskedOnce {
  readonly backtest: Backtest;
  readonly repeated: boolean;
}

/** They share one worker's time. */
const outstandingMax = 20;

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
    const asked = { ...ask, policy: await this.policyOf(ask), requestedBy, requestedAt: at, id: uuidV7(at.getTime(), random) };
    await this.add(ask, { ...asked, request: undefined });
    return await this.get(asked.id);
  }

  /** The same, once for each key of the asker: repeated, the back-test that it began. Refuses also 422 `idempotency.key_reused`. */
  async requestOnce(ask: BacktestAsk, { by, key }: Asker, at: Date, random: Uint8Array): Promise<AskedOnce> {
    const policy = await this.policyOf(ask);
    const request = { key, digest: this.sha256Hex(questionText({ ...ask, policy })) };
    const known = await this.findAsked(by, request);
    if (known) return { backtest: known, repeated: true };
    const asked = { ...ask, policy, requestedBy: by, requestedAt: at, id: uuidV7(at.getTime(), random) };
    if (await this.add(ask, { ...asked, request })) return { backtest: await this.get(asked.id), repeated: false };
    return { backtest: (await this.findAsked(by, request))!, repeated: true };
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

  /** Whoever works on it stops at the next chance; cancelled again, it stays so. Refuses 404 `backtest.unknown` and 409 `backtest.ended`. */
  async cancel(id: string): Promise<Backtest> {
    await this.store.cancel(id);
    const found = await this.get(id);
    if (found.state !== 'CANCELLED') throw backtestEnded(found.state);
    return found;
  }

  private async findAsked(by: string, { key, digest }: BacktestKey): Promise<Backtest | undefined> {
    const known = await this.store.findByKey(by, key);
    if (known && known.digest !== digest) throw keyReused();
    return known && (await this.get(known.id));
  }

  private async add(ask: BacktestAsk, asked: Omit<NewBacktest, 'bounds'>): Promise<boolean> {
    if ((await this.store.outstanding(outstandingMax)).length >= outstandingMax) throw backtestsFull(outstandingMax);
    const bounds = await this.history.heads();
    if (!(await this.hasHistory(bounds, ask))) throw noHistory();
    return await this.store.add({ ...asked, bounds });
  }

  private async policyOf({ policy: asked, from, to }: BacktestAsk): Promise<BacktestQuestion['policy']> {
    if (from && to && from >= to) throw emptyRange();
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

/** What a key is bound to. */
function questionText({ policy, from, to, assume, begin }: BacktestQuestion): string {
  const range = { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null };
  return canonicalize({ policy: policy?.hash ?? 'RECORDED', assume, begin, ...range });
}

import { invariant, Refusal, type Shard } from '#kernel';
import { compilePolicy, parsePolicy, type Policy } from '#policies';
import { type Backtest, BacktestLost, type BacktestLease, type BacktestPart, type BacktestStore, noHistory } from './backtest.js';
import { backtestReport } from './backtest-report.js';
import type { DecisionHistory } from './decision-history.js';
import { PartReplay } from './part-replay.js';
import type { ReplayRules } from './redecide.js';
import { Tally } from './tally.js';

export const BACKTEST_LIMITS = {
  /** A worker that died is succeeded after this long. */
  leaseMs: 15_000,
  /** After an error that may pass. */
  retryAfterMs: 2_000,
  /** Progress is saved at most this often, at the end of a subject. */
  saveEveryMs: 1_000,
};

export interface BacktestPolicies {
  /** Every version that ever decided, ready to decide again. */
  decided(): Promise<ReadonlyMap<bigint, Policy>>;
}

export type OnBacktestProgress = (done: bigint, total: bigint) => void | Promise<void>;

export type BacktestEnd = 'DONE' | 'FAILED' | 'BUSY' | 'LOST';

/**
 * Decides history again, shard by shard, subject by subject, in memory that does not grow with the history. What was found up to some
 * subject is saved with that subject's name, so a run that died is taken up there and every decision is counted once. The report is the same
 * however often that happened.
 */
export class BacktestRunner {
  constructor(
    private readonly store: BacktestStore,
    private readonly history: DecisionHistory,
    private readonly policies: BacktestPolicies,
    private readonly sha256Hex: (text: string) => string,
  ) {}

  /** BUSY: somebody else has it, or it has ended. LOST: it was cancelled or taken over meanwhile. An error is for the next attempt. */
  async run(id: string, onProgress: OnBacktestProgress = () => undefined): Promise<BacktestEnd> {
    const lease = await this.store.lease(id, BACKTEST_LIMITS.leaseMs);
    if (!lease) return 'BUSY';
    try {
      return await this.work(lease, (await this.store.find(id))!, onProgress);
    } catch (error) {
      if (error instanceof BacktestLost) return 'LOST';
      if (error instanceof Refusal && error.kind !== 'unavailable') {
        await this.store.fail(lease, error.message);
        return 'FAILED';
      }
      await this.store.release(lease, BACKTEST_LIMITS.retryAfterMs).catch(() => undefined);
      throw error;
    }
  }

  private async work(lease: BacktestLease, asked: Backtest, onProgress: OnBacktestProgress): Promise<BacktestEnd> {
    const decided = await this.policies.decided();
    const rules = rulesOf(asked, decided);
    const parts = await this.partsOf(lease, asked);
    const total = parts.reduce((sum, part) => sum + part.total, 0n);
    let done = parts.reduce((sum, part) => sum + part.decided, 0n);
    const finished: BacktestPart[] = [];
    for (const part of parts) {
      const replay = new PartReplay(asked, part, rules, { history: this.history, sha256Hex: this.sha256Hex });
      const before = done - part.decided;
      finished.push(
        await this.finishPart(lease, replay, async (reached) => {
          done = before + reached.decided;
          await onProgress(done, total);
        }),
      );
    }
    await this.report(lease, asked, finished, decided.values().next().value?.currency);
    return 'DONE';
  }

  private async finishPart(
    lease: BacktestLease,
    replay: PartReplay,
    onReached: (part: BacktestPart) => Promise<void>,
  ): Promise<BacktestPart> {
    let savedAtMs = performance.now();
    while (!replay.isDone) {
      await replay.next();
      if (!replay.isDone && performance.now() - savedAtMs < BACKTEST_LIMITS.saveEveryMs) continue;
      savedAtMs = performance.now();
      const reached = replay.reached();
      await this.store.savePart(lease, reached, BACKTEST_LIMITS.leaseMs);
      await onReached(reached);
    }
    return replay.reached();
  }

  private async report(lease: BacktestLease, asked: Backtest, parts: readonly BacktestPart[], currency: string | undefined): Promise<void> {
    const tally = new Tally();
    for (const { tally: found } of parts) if (found) tally.merge(found);
    const read = parts.filter(({ decided }) => decided > 0n).sort((a, b) => a.shard - b.shard);
    const digests = read.map(({ shard, digest }) => `${shard}:${digest}`);
    const found = tally.toJson();
    if (found.decisions.count === 0) throw noHistory();
    const text = JSON.stringify(backtestReport(asked, found, this.sha256Hex(digests.join('\n')), currency));
    await this.store.finish(lease, text, this.sha256Hex(text));
  }

  private async partsOf(lease: BacktestLease, asked: Backtest): Promise<BacktestPart[]> {
    const known = await this.store.parts(asked.id);
    if (known.length > 0) return known;
    const parts: BacktestPart[] = [];
    for (const [shard, untilSeq] of asked.bounds) parts.push(this.newPart(shard, await this.history.count(shard, untilSeq)));
    await this.store.begin(lease, parts, BACKTEST_LIMITS.leaseMs);
    return parts;
  }

  private newPart(shard: Shard, total: bigint): BacktestPart {
    return { shard, total, decided: 0n, afterSubject: undefined, isDone: total === 0n, tally: undefined, digest: this.sha256Hex('') };
  }
}

function rulesOf({ policy, assume, begin }: Backtest, decided: ReadonlyMap<bigint, Policy>): ReplayRules {
  if (policy) {
    const compiled = compilePolicy(parsePolicy(JSON.parse(policy.text)), policy.hash);
    return { policyFor: () => compiled, assume, begin };
  }
  const policyFor: ReplayRules['policyFor'] = ({ policyVersion }) => {
    const known = decided.get(policyVersion);
    invariant(known, `version ${policyVersion} decided, so it is kept`);
    return known;
  };
  return { policyFor, assume, begin };
}

import type { BacktestAnswer, BacktestReportAnswer, ShadowAnswer } from '#contract';
import { formatId, shardOf } from '#kernel';
import { parsePolicy } from '#policies';
import { type Backtest, backtestNotDone } from './backtest.js';
import type { BacktestReport } from './backtest-report.js';
import type { ShadowStanding } from './shadow.js';
import { SHADOW_NOTES } from './shadows.js';
import { showTally } from './show-tally.js';

/** A back-test as a service sees it: what was asked, and how far it is. */
export function showBacktest(found: Backtest): BacktestAnswer {
  const { id, state, requestedBy, requestedAt, policy, from, to, assume, begin, progress, finishedAt, problem } = found;
  const document = policy && parsePolicy(JSON.parse(policy.text));
  return {
    id: formatId('bkt', { shard: shardOf(id), uuid: id }),
    ...{ state, requestedBy, requestedAt: requestedAt.toISOString() },
    policy: document && { id: document.id, version: String(document.version), hash: policy!.hash },
    ...{ from: from?.toISOString(), to: to?.toISOString(), assume, begin },
    progress: { done: Number(progress.done), total: Number(progress.total) },
    ...{ finishedAt: finishedAt?.toISOString(), problem },
  };
}

/** With what it found. Refuses 409 `backtest.not_done`. */
export function showBacktestReport(found: Backtest): BacktestReportAnswer {
  if (found.report === undefined) throw backtestNotDone(found.state);
  const { currency, assumptions, history, found: tally } = JSON.parse(found.report) as BacktestReport;
  const bounds = Object.entries(history.bounds).map(([shard, seq]) => ({ shard: Number(shard), seq }));
  return { ...showBacktest(found), report: { found: showTally(tally, currency), assumptions, history: { ...history, bounds } } };
}

export function showShadow({ version, state, since, currency, behind, decided }: ShadowStanding): ShadowAnswer {
  return {
    ...{ version: String(version), state, since: since.toISOString(), behind: Number(behind) },
    ...{ found: showTally(decided, currency), assumptions: SHADOW_NOTES },
  };
}

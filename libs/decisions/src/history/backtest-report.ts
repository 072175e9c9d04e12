import type { JsonObject } from '#evidence';
import { parsePolicy } from '#policies';
import type { Backtest } from './backtest.js';
import type { Assumption, Beginning } from './redecide.js';
import type { TallyJson } from './tally.js';

/** What a back-test found. The same question over the same history gives the same report, to the letter. */
export interface BacktestReport {
  /** `null`: every decision by the version that took it. */
  readonly policy: { readonly id: string; readonly version: string; readonly hash: string } | null;
  readonly currency: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly assume: Assumption;
  readonly begin: Beginning;
  readonly assumptions: readonly string[];
  readonly history: {
    /** SHA-256 over every decision and settlement read, in order. */
    readonly digest: string;
    /** The last number of each shard. */
    readonly bounds: Readonly<Record<string, string>>;
  };
  readonly found: TallyJson;
}

/** @param recordedCurrency of the versions that decided, for a back-test without a policy of its own */
export function backtestReport(asked: Backtest, found: TallyJson, digest: string, recordedCurrency: string | undefined): BacktestReport {
  const { policy, from, to, assume, begin, bounds } = asked;
  const document = policy && parsePolicy(JSON.parse(policy.text) as JsonObject);
  return {
    policy: document ? { id: document.id, version: String(document.version), hash: policy!.hash } : null,
    currency: document?.currency ?? recordedCurrency ?? null,
    from: from?.toISOString() ?? null,
    to: to?.toISOString() ?? null,
    assume,
    begin,
    assumptions: assumptionsOf(assume, from ? begin : undefined),
    history: { digest, bounds: Object.fromEntries([...bounds].sort(([a], [b]) => a - b).map(([shard, seq]) => [shard, seq.toString()])) },
    found,
  };
}

const ASSUMED: Readonly<Record<Assumption, string>> = {
  CONFIRMED: 'What would have been held and was really denied counts as confirmed in full, at once.',
  EXPIRED: 'What would have been held and was really denied counts as held for the time that was asked, then as free again.',
};

const BEGUN: Readonly<Record<Beginning, string>> = {
  CONTINUE: 'Limits continue their counters by their names, as if the policy had been activated at the beginning; new limits begin empty.',
  COUNTED: 'Counters begin as if the policy had always counted what was really spent.',
};

/** What is not known and was taken for granted, in words. */
function assumptionsOf(assume: Assumption, begin: Beginning | undefined): string[] {
  return [
    ASSUMED[assume],
    ...(begin === undefined ? [] : [BEGUN[begin]]),
    'What was really held is confirmed, released, refunded and expires as it did; what would have been denied takes nothing.',
    'Scores and restrictions are those of the time: nobody would have behaved otherwise.',
    'Simulations and EVALUATE answers that allowed left no row and are not seen. Decisions of a linked group are judged one by one.',
  ];
}

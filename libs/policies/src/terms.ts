import type { Restriction } from '#standing';
import type { LimitRule, Policy, TierRules } from './compile.js';
import type { EvaluationRequest } from './evaluate.js';
import { LIFETIME, type WindowKind } from './window.js';

/** What counts against a cap: SPENT is everything reserved or confirmed; OPEN is only what is held now (the ledger tells `used` as 0). */
export type Measure = 'SPENT' | 'OPEN';

/**
 * A limit that the ledger has to hold. Usage is written to the counter's row [start, end); what counts against the cap is the sum of the
 * counter's rows that start in [from, start]. A calendar window is one row: from = start.
 */
export interface Cap {
  readonly limit: string;
  readonly window: WindowKind;
  readonly measure: Measure;
  readonly counter: string;
  readonly from: Date;
  readonly start: Date;
  readonly end: Date;
  /** When nothing that counts now will count any more. Undefined: never by time alone. */
  readonly resetAt: Date | undefined;
  readonly amountMinor: bigint | undefined;
  readonly count: number | undefined;
}

export interface TransactionLimit {
  readonly limit: string;
  readonly amountMinor: bigint;
}

/** A tier's limits as they stand for one request, in [from, until). */
export interface Terms {
  readonly transactionLimits: readonly TransactionLimit[];
  readonly caps: readonly Cap[];
  readonly from: Date;
  readonly until: Date;
}

/** Rules belong to one service and one tier of one policy. */
const SHARED = new WeakMap<TierRules, Terms>();

/**
 * Where nothing sets this subject apart (no cut in force, no limit by counterparty) terms are the same object for everybody until a window
 * ends, so that they, and whatever is derived from them, are made once.
 */
export function termsOf(rules: TierRules, policy: Policy, request: EvaluationRequest, active: readonly Restriction[], at: Date): Terms {
  const keep = percentKept(active);
  const known = keep === 100n ? SHARED.get(rules) : undefined;
  if (known && known.from <= at && at < known.until) return known;
  const terms = makeTerms(rules, policy, request, keep, at);
  if (keep === 100n && rules.limits.every(({ scope }) => scope !== 'SUBJECT_COUNTERPARTY')) SHARED.set(rules, terms);
  return terms;
}

function makeTerms({ limits }: TierRules, policy: Policy, request: EvaluationRequest, keep: bigint, at: Date): Terms {
  const caps = limits.flatMap((rule) => (rule.window === 'TRANSACTION' ? [] : [capOf(rule, policy, request, at, keep)]));
  return {
    transactionLimits: limits.flatMap(({ id, window, amountMinor }) =>
      window === 'TRANSACTION' ? [{ limit: id, amountMinor: cut(amountMinor!, keep) }] : [],
    ),
    caps,
    from: caps.reduce((latest, { start }) => (start > latest ? start : latest), LIFETIME.start),
    until: caps.reduce((earliest, { end }) => (end < earliest ? end : earliest), LIFETIME.end),
  };
}

function capOf(rule: LimitRule, policy: Policy, request: EvaluationRequest, at: Date, keep: bigint): Cap {
  const { start, end } = policy.calendar.windowAt(rule.window as Exclude<WindowKind, 'TRANSACTION'>, at);
  return {
    limit: rule.id,
    window: rule.window,
    measure: 'SPENT',
    counter: `${rule.id}/${policy.currency}${scopeOf(rule, request)}`,
    from: start,
    start,
    end,
    resetAt: rule.window === 'LIFETIME' ? undefined : end,
    amountMinor: rule.amountMinor === undefined ? undefined : cut(rule.amountMinor, keep),
    count: rule.count,
  };
}

/** What sets counters of one limit apart. Requests that name no counterparty share one counter: leaving it out gains nothing. */
function scopeOf({ scope }: LimitRule, { service, counterparty = '' }: EvaluationRequest): string {
  if (scope === 'SUBJECT') return '';
  return scope === 'SUBJECT_SERVICE' ? `/${service}` : `/to/${counterparty}`;
}

/** A cut's `limitPercent` is what it leaves of the limit. The deepest in force decides; cuts do not multiply. */
function percentKept(active: readonly Restriction[]): bigint {
  if (active.length === 0) return 100n;
  const kept = active.flatMap(({ step, limitPercent }) => (step === 'LIMIT_CUT' ? [limitPercent ?? 0] : []));
  return BigInt(Math.min(100, ...kept));
}

function cut(amountMinor: bigint, keep: bigint): bigint {
  return (amountMinor * keep) / 100n;
}

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

/** What restrictions leave of a tier's amounts: so many percent, and no more than so much. */
interface Cut {
  readonly keep: bigint;
  readonly ceilingMinor: bigint | undefined;
}

const UNCUT: Cut = { keep: 100n, ceilingMinor: undefined };

/** Rules belong to one service and one tier of one policy. */
const SHARED = new WeakMap<TierRules, Terms>();

/**
 * Where nothing sets this subject apart (no cut in force, no limit by counterparty) terms are the same object for everybody until a window
 * ends, so that they, and whatever is derived from them, are made once.
 */
export function termsOf(rules: TierRules, policy: Policy, request: EvaluationRequest, active: readonly Restriction[], at: Date): Terms {
  const cut = active.length === 0 ? UNCUT : cutOf(active, policy.currency);
  const known = cut === UNCUT ? SHARED.get(rules) : undefined;
  if (known && known.from.getTime() <= at.getTime() && at.getTime() < known.until.getTime()) return known;
  const terms = makeTerms(rules, policy, request, cut, at);
  if (cut === UNCUT && rules.limits.every(({ scope }) => scope !== 'SUBJECT_COUNTERPARTY')) SHARED.set(rules, terms);
  return terms;
}

function makeTerms({ limits }: TierRules, policy: Policy, request: EvaluationRequest, cut: Cut, at: Date): Terms {
  const caps = limits.flatMap((rule) => (rule.window === 'TRANSACTION' ? [] : [capOf(rule, policy, request, cut, at)]));
  return {
    transactionLimits: limits.flatMap(({ id, window, amountMinor }) =>
      window === 'TRANSACTION' ? [{ limit: id, amountMinor: leave(amountMinor!, cut) }] : [],
    ),
    caps,
    from: caps.reduce((latest, { start }) => (start > latest ? start : latest), LIFETIME.start),
    until: caps.reduce((earliest, { end }) => (end < earliest ? end : earliest), LIFETIME.end),
  };
}

function capOf(rule: LimitRule, policy: Policy, request: EvaluationRequest, cut: Cut, at: Date): Cap {
  const { id, window, amountMinor, count } = rule;
  return {
    limit: id,
    window,
    measure: window === 'OPEN_EXPOSURE' ? 'OPEN' : 'SPENT',
    counter: `${id}/${policy.currency}${scopeOf(rule, request)}`,
    ...rule.span(at),
    amountMinor: amountMinor === undefined ? undefined : leave(amountMinor, cut),
    count,
  };
}

/** What sets counters of one limit apart. Requests that name no counterparty share one counter: leaving it out gains nothing. */
function scopeOf({ scope }: LimitRule, { service, counterparty = '' }: EvaluationRequest): string {
  if (scope === 'SUBJECT') return '';
  return scope === 'SUBJECT_SERVICE' ? `/${service}` : `/to/${counterparty}`;
}

/**
 * A cut's `limitPercent` is what it leaves of the limit, its `limitMinor` the most that it leaves. The deepest of each in force decides;
 * cuts do not multiply. A cut that says neither, or its amount in another currency, leaves nothing: it cannot be applied, so it fails closed.
 */
function cutOf(active: readonly Restriction[], policyCurrency: string): Cut {
  let keep = 100;
  let ceilingMinor: bigint | undefined;
  const cuts = active.filter(({ step }) => step === 'LIMIT_CUT');
  for (const { limitPercent, limitMinor, currency = policyCurrency } of cuts) {
    const isEmpty = limitMinor === undefined ? limitPercent === undefined : currency !== policyCurrency;
    keep = Math.min(keep, isEmpty ? 0 : (limitPercent ?? 100));
    if (limitMinor !== undefined && (ceilingMinor === undefined || limitMinor < ceilingMinor)) ceilingMinor = limitMinor;
  }
  return cuts.length === 0 ? UNCUT : { keep: BigInt(keep), ceilingMinor };
}

function leave(amountMinor: bigint, { keep, ceilingMinor }: Cut): bigint {
  const left = (amountMinor * keep) / 100n;
  return ceilingMinor !== undefined && ceilingMinor < left ? ceilingMinor : left;
}

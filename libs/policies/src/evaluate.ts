import type { DecisionReason, Outcome } from '#contract';
import { formatMinor, type Money, Refusal } from '#kernel';
import type { Restriction, Standing } from '#standing';
import { tierOf, type LimitRule, type Policy, type Service } from './compile.js';
import { bestDiscount, type Discount } from './discount.js';
import { LIFETIME, type WindowKind } from './window.js';

export interface EvaluationRequest {
  readonly service: string;
  readonly money: Money;
  readonly counterparty?: string | undefined;
}

/** A limit that the ledger has to hold: how much the counter may reach in this window. */
export interface Cap {
  readonly limit: string;
  readonly window: WindowKind;
  readonly counter: string;
  readonly start: Date;
  readonly end: Date;
  readonly amountMinor: bigint | undefined;
  readonly count: number | undefined;
}

/** What a policy says about one request; whether the counters have room is the ledger's to say. */
export interface Evaluation {
  /** What binds the caller: a service that is not enforced answers ALLOW whatever was computed. */
  readonly outcome: Outcome;
  readonly computedOutcome: Outcome;
  readonly enforced: boolean;
  readonly reasons: readonly DecisionReason[];
  readonly tier: string;
  readonly discount: Discount | undefined;
  readonly restrictions: readonly Restriction[];
  /** Limits of a single transaction, already judged; shown with the answer. */
  readonly transactionLimits: readonly { readonly limit: string; readonly amountMinor: bigint }[];
  readonly caps: readonly Cap[];
  /** The evaluation holds in [from, until): no window and no restriction begins or ends inside. */
  readonly from: Date;
  readonly until: Date;
}

const SEVERITY: Readonly<Record<Outcome, number>> = { ALLOW: 0, REVIEW: 1, DENY: 2 };

interface Finding extends DecisionReason {
  readonly says: Outcome;
}

/**
 * Judges a request by standing and policy: DENY wins over REVIEW wins over ALLOW.
 * Refuses 422 `service.unknown`, `currency.unsupported` and `amount.not_positive`.
 */
export function evaluate(standing: Standing, policy: Policy, request: EvaluationRequest, at: Date): Evaluation {
  const service = knownService(policy, request);
  const tier = tierOf(policy, standing.score.value);
  const { from, until, active } = restrictionsAt(standing.restrictions, service.name, at);
  const common = { tier, restrictions: active, enforced: service.mode === 'enforce' };
  if (service.mode === 'off') return { ...common, ...NOTHING_ASKED, from, until };
  const rules = service.byTier.get(tier)!;
  const keep = percentKept(active);
  const findings = [
    ...restrictionFindings(active),
    ...scoreFindings(service, standing.score.value),
    ...transactionFindings(rules.limits, request.money, keep),
    ...reviewFindings(service, request.money),
  ].sort((a, b) => SEVERITY[b.says] - SEVERITY[a.says]);
  const computedOutcome = findings[0]?.says ?? 'ALLOW';
  const caps = rules.limits.flatMap((rule) => (rule.window === 'TRANSACTION' ? [] : [capOf(rule, policy, request, at, keep)]));
  return {
    ...common,
    outcome: common.enforced ? computedOutcome : 'ALLOW',
    computedOutcome,
    reasons: (findings.length > 0 ? findings : [whyAllowed(service, tier, standing.score.value)]).map(({ code, text, source }) => ({
      code,
      text,
      source,
    })),
    discount: computedOutcome === 'DENY' ? undefined : bestDiscount(rules.discounts, request.money.minor),
    transactionLimits: rules.limits.flatMap(({ id, window, amountMinor }) =>
      window === 'TRANSACTION' ? [{ limit: id, amountMinor: cut(amountMinor!, keep) }] : [],
    ),
    caps,
    from: caps.reduce((latest, cap) => (cap.start > latest ? cap.start : latest), from),
    until: caps.reduce((earliest, cap) => (cap.end < earliest ? cap.end : earliest), until),
  };
}

const NOTHING_ASKED = {
  outcome: 'ALLOW',
  computedOutcome: 'ALLOW',
  reasons: [],
  discount: undefined,
  transactionLimits: [],
  caps: [],
} as const;

function knownService(policy: Policy, { service: name, money }: EvaluationRequest): Service {
  const service = policy.services.get(name);
  if (!service) throw new Refusal('unprocessable', 'service.unknown', 'the active policy names no such service', { field: '/service' });
  if (money.currency !== policy.currency) {
    const detail = `the active policy decides in ${policy.currency}`;
    throw new Refusal('unprocessable', 'currency.unsupported', detail, { field: '/amount/currency' });
  }
  if (money.minor <= 0n) {
    throw new Refusal('unprocessable', 'amount.not_positive', 'an amount must be above zero', { field: '/amount/amount' });
  }
  return service;
}

/** The restrictions of this service in force now, and how long that stays so. */
function restrictionsAt(restrictions: readonly Restriction[], service: string, at: Date) {
  let { start: from, end: until } = LIFETIME;
  const active: Restriction[] = [];
  for (const restriction of restrictions) {
    if (restriction.services.length > 0 && !restriction.services.includes(service)) continue;
    const { startsAt, endsAt = LIFETIME.end } = restriction;
    if (startsAt <= at && at < endsAt) active.push(restriction);
    for (const edge of [startsAt, endsAt]) {
      if (edge <= at && edge > from) from = edge;
      if (edge > at && edge < until) until = edge;
    }
  }
  return { from, until, active };
}

const STEPS: Readonly<Record<Restriction['step'], { readonly code: string; readonly says: Outcome }>> = {
  CLOSURE: { code: 'restriction.closure', says: 'DENY' },
  SERVICE_STOP: { code: 'restriction.service_stop', says: 'DENY' },
  LIMIT_CUT: { code: 'restriction.limit_cut', says: 'ALLOW' },
  WARN: { code: 'restriction.warning', says: 'ALLOW' },
};

function restrictionFindings(active: readonly Restriction[]): Finding[] {
  return active.map(({ id, step, reason }) => ({ ...STEPS[step], text: `${reason.code}: ${reason.text}`, source: `restriction ${id}` }));
}

/** A plain yes says why, too. */
function whyAllowed({ name, minimumScore }: Service, tier: string, score: number): DecisionReason {
  const floor = minimumScore === undefined ? '' : `, at or above ${minimumScore}, the minimum of ${name}`;
  return { code: 'score.sufficient', text: `the score is ${score} (${tier})${floor}`, source: `service ${name}` };
}

function scoreFindings({ name, minimumScore }: Service, score: number): Finding[] {
  if (minimumScore === undefined || score >= minimumScore) return [];
  const text = `the score ${score} is below ${minimumScore}, the minimum of ${name}`;
  return [{ code: 'score.below_minimum', says: 'DENY', text, source: `service ${name}` }];
}

function transactionFindings(limits: readonly LimitRule[], money: Money, keep: bigint): Finding[] {
  return limits.flatMap(({ id, window, amountMinor }) => {
    if (window !== 'TRANSACTION' || amountMinor === undefined || money.minor <= cut(amountMinor, keep)) return [];
    const text = `one transaction may be ${formatMinor(cut(amountMinor, keep), money.currency)} ${money.currency} at most`;
    return [{ code: 'limit.transaction_exceeded', says: 'DENY' as const, text, source: `limit ${id}` }];
  });
}

function reviewFindings({ name, reviewAboveMinor }: Service, money: Money): Finding[] {
  if (reviewAboveMinor === undefined || money.minor <= reviewAboveMinor) return [];
  const text = `amounts above ${formatMinor(reviewAboveMinor, money.currency)} ${money.currency} are looked at by a person`;
  return [{ code: 'amount.review', says: 'REVIEW', text, source: `service ${name}` }];
}

function capOf(rule: LimitRule, policy: Policy, request: EvaluationRequest, at: Date, keep: bigint): Cap {
  const { start, end } = policy.calendar.windowAt(rule.window as Exclude<WindowKind, 'TRANSACTION'>, at);
  return {
    limit: rule.id,
    window: rule.window,
    counter: `${rule.id}/${policy.currency}${scopeOf(rule, request)}`,
    start,
    end,
    amountMinor: rule.amountMinor === undefined ? undefined : cut(rule.amountMinor, keep),
    count: rule.count,
  };
}

/** What sets counters of one limit apart. Requests that name no counterparty share one counter: leaving it out gains nothing. */
function scopeOf({ scope }: LimitRule, { service, counterparty = '' }: EvaluationRequest): string {
  if (scope === 'SUBJECT') return '';
  return scope === 'SUBJECT_SERVICE' ? `/${service}` : `/to/${counterparty}`;
}

/** The deepest cut in force decides; cuts do not multiply. */
function percentKept(active: readonly Restriction[]): bigint {
  const kept = active.flatMap(({ step, limitPercent }) => (step === 'LIMIT_CUT' ? [limitPercent ?? 0] : []));
  return BigInt(Math.min(100, ...kept));
}

function cut(amountMinor: bigint, keep: bigint): bigint {
  return (amountMinor * keep) / 100n;
}

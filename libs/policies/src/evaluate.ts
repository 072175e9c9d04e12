import type { DecisionMode, DecisionReason, Outcome } from '#contract';
import { formatMinor, type Money, Refusal } from '#kernel';
import type { Restriction, Standing } from '#standing';
import { type Policy, type Service, tierOf } from './compile.js';
import { type Discount, discountOf } from './discount.js';
import { judgeRules } from './rules/judge-rules.js';
import { type Cap, type Terms, termsOf, type TransactionLimit } from './terms.js';
import { LIFETIME } from './window.js';

export interface EvaluationRequest {
  readonly service: string;
  readonly money: Money;
  readonly counterparty?: string | undefined;
  readonly channel?: string | undefined;
  readonly mode?: DecisionMode | undefined;
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
  readonly transactionLimits: readonly TransactionLimit[];
  readonly caps: readonly Cap[];
  /** The evaluation holds in [from, until): no window, no restriction and no hour or day that a rule looks at begins or ends inside. */
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
  const now = restrictionsAt(standing.restrictions, service.name, at);
  const { active } = now;
  const enforced = service.mode === 'enforce';
  if (service.mode === 'off') return { ...NOTHING_ASKED, tier, restrictions: active, enforced, from: now.from, until: now.until };
  const rules = service.byTier.get(tier)!;
  const terms = termsOf(rules, policy, request, active, at);
  const ruled = service.rules && judgeRules(service.rules, { standing, tier, active, request }, at);
  const findings = [
    ...restrictionFindings(active),
    ...scoreFindings(service, standing.score.value),
    ...(ruled?.findings ?? []),
    ...transactionFindings(terms, request.money),
    ...reviewFindings(service, request.money),
  ];
  if (findings.length > 1) findings.sort((a, b) => SEVERITY[b.says] - SEVERITY[a.says]);
  const computedOutcome = findings[0]?.says ?? 'ALLOW';
  const { from, until } = narrower(ruled ? narrower(terms, ruled) : terms, now);
  return {
    outcome: enforced ? computedOutcome : 'ALLOW',
    computedOutcome,
    enforced,
    reasons: findings.length > 0 ? findings.map(told) : whyAllowed(service, tier, standing.score.value),
    tier,
    discount:
      computedOutcome === 'DENY' ? undefined : discountOf(rules.discounts, policy.stacking, request.money.minor, request.counterparty),
    restrictions: active,
    transactionLimits: terms.transactionLimits,
    caps: terms.caps,
    from,
    until,
  };
}

function told({ code, text, source }: Finding): DecisionReason {
  return { code, text, source };
}

type Edges = Pick<Evaluation, 'from' | 'until'>;

/** What lies in both. Dates that are the same object need no comparing, and nearly always one side is always. */
function narrower(one: Edges, other: Edges): Edges {
  if (other.from === LIFETIME.start && other.until === LIFETIME.end) return { from: one.from, until: one.until };
  return {
    from: one.from.getTime() > other.from.getTime() ? one.from : other.from,
    until: one.until.getTime() < other.until.getTime() ? one.until : other.until,
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
  BANK_NOTICE: { code: 'restriction.bank_notice', says: 'ALLOW' },
};

function restrictionFindings(active: readonly Restriction[]): Finding[] {
  return active.map(({ id, step, reason }) => ({ ...STEPS[step], text: `${reason.code}: ${reason.text}`, source: `restriction ${id}` }));
}

/** By service and score. */
const PLAIN_REASONS = new WeakMap<Service, Map<number, readonly DecisionReason[]>>();

/** A plain yes says why, too. It is the same (frozen) list for everybody of that score. */
function whyAllowed(service: Service, tier: string, score: number): readonly DecisionReason[] {
  const known = PLAIN_REASONS.get(service) ?? new Map<number, readonly DecisionReason[]>();
  const reasons = known.get(score) ?? Object.freeze([plainReason(service, tier, score)]);
  PLAIN_REASONS.set(service, known.set(score, reasons));
  return reasons;
}

function plainReason({ name, minimumScore }: Service, tier: string, score: number): DecisionReason {
  const floor = minimumScore === undefined ? '' : `, at or above ${minimumScore}, the minimum of ${name}`;
  return { code: 'score.sufficient', text: `the score is ${score} (${tier})${floor}`, source: `service ${name}` };
}

function scoreFindings({ name, minimumScore }: Service, score: number): Finding[] {
  if (minimumScore === undefined || score >= minimumScore) return [];
  const text = `the score ${score} is below ${minimumScore}, the minimum of ${name}`;
  return [{ code: 'score.below_minimum', says: 'DENY', text, source: `service ${name}` }];
}

function transactionFindings({ transactionLimits }: Terms, money: Money): Finding[] {
  return transactionLimits
    .filter(({ amountMinor }) => money.minor > amountMinor)
    .map(({ limit, amountMinor }) => {
      const text = `one transaction may be ${formatMinor(amountMinor, money.currency)} ${money.currency} at most`;
      return { code: 'limit.transaction_exceeded', says: 'DENY', text, source: `limit ${limit}` };
    });
}

function reviewFindings({ name, reviewAboveMinor }: Service, money: Money): Finding[] {
  if (reviewAboveMinor === undefined || money.minor <= reviewAboveMinor) return [];
  const text = `amounts above ${formatMinor(reviewAboveMinor, money.currency)} ${money.currency} are looked at by a person`;
  return [{ code: 'amount.review', says: 'REVIEW', text, source: `service ${name}` }];
}

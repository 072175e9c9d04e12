import { parseMoney, Refusal } from '#kernel';
import { findContradictions } from './contradictions.js';
import { type DisputePolicy, type Ladder, readDisputes, readLadder } from '#standing';
import { discountRule, type DiscountRule, type Stacking, stackingOf } from './discount.js';
import type { DiscountDocument, LimitDocument, PolicyDocument, ServiceDocument } from './document.js';
import { LocalClock } from './local-hour.js';
import { type OnRuleFailure, type RuleSet, ruleSet } from './rules/judge-rules.js';
import { compileRule, type Rule } from './rules/rule.js';
import { type Span, spanOf } from './span.js';
import { Calendar, type WindowKind } from './window.js';

/** One limit as it binds one tier: minor units of the policy's currency. */
export interface LimitRule {
  readonly id: string;
  readonly window: WindowKind;
  readonly span: Span;
  readonly scope: LimitDocument['scope'];
  readonly amountMinor: bigint | undefined;
  readonly count: number | undefined;
}

export interface TierRules {
  readonly limits: readonly LimitRule[];
  /** In the order of the document. */
  readonly discounts: readonly DiscountRule[];
}

export interface Service {
  readonly name: string;
  readonly mode: ServiceDocument['mode'];
  readonly minimumScore: number | undefined;
  readonly reviewAboveMinor: bigint | undefined;
  /** Undefined: none. */
  readonly rules: RuleSet | undefined;
  readonly byTier: ReadonlyMap<string, TierRules>;
}

/** A policy ready to decide with: every name resolved, every amount exact, every rule checked. Immutable but for its memory of today. */
export interface Policy {
  readonly id: string;
  readonly version: bigint;
  /** SHA-256 of the document's canonical form (RFC 8785), hex. */
  readonly hash: string;
  readonly currency: string;
  readonly stacking: Stacking;
  /** The built-in one, in the policy's time zone, where the document brings none. */
  readonly ladder: Ladder;
  /** The built-in one, in the policy's time zone, where the document brings none. */
  readonly disputes: DisputePolicy;
  /** Highest first. */
  readonly tiers: readonly { readonly name: string; readonly minimumScore: number }[];
  readonly services: ReadonlyMap<string, Service>;
}

/**
 * Resolves a document. Refuses 422 `policy.inconsistent` (`amount.*` for an amount) where it contradicts itself and `policy.rule_refused`
 * for a rule that is none, with the field.
 * @param onRuleFailure hears of every evaluation in which a rule had no value
 */
export function compilePolicy(document: PolicyDocument, hash: string, onRuleFailure?: OnRuleFailure): Policy {
  const [contradiction] = findContradictions(document);
  if (contradiction) {
    const { kind, code, message, pointer } = contradiction;
    throw new Refusal(kind, code, message, { field: pointer });
  }
  const workshop = workshopOf(document, onRuleFailure);
  return {
    id: document.id,
    version: BigInt(document.version),
    hash,
    currency: document.currency,
    stacking: stackingOf(document.stacking ?? { mode: 'BEST' }, workshop.minor),
    ladder: readLadder(document.ladder, { ...document, name: `policy ${document.version}` }),
    disputes: readDisputes(document.disputes, document.timeZone),
    tiers: [...document.tiers].sort((a, b) => b.minimumScore - a.minimumScore),
    services: new Map(document.services.map((service) => [service.name, compileService(workshop, service)])),
  };
}

export function tierOf(policy: Policy, score: number): string {
  return (policy.tiers.find(({ minimumScore }) => score >= minimumScore) ?? policy.tiers.at(-1)!).name;
}

/** What all services of a document are made with. */
interface Workshop {
  readonly document: PolicyDocument;
  readonly calendar: Calendar;
  readonly clock: LocalClock;
  readonly rules: readonly (readonly [services: readonly string[], rule: Rule])[];
  /** Made once: a thousand counterparties for each service and tier would fill the memory of whoever reads the document. */
  readonly discounts: readonly (readonly [document: DiscountDocument, rule: DiscountRule])[];
  readonly minor: (amount: string) => bigint;
  readonly onRuleFailure: OnRuleFailure | undefined;
}

function workshopOf(document: PolicyDocument, onRuleFailure: OnRuleFailure | undefined): Workshop {
  const { currency, timeZone, rules = [], discounts } = document;
  const minor = (amount: string) => parseMoney({ amount, currency }).minor;
  return {
    document,
    calendar: new Calendar(timeZone),
    clock: new LocalClock(timeZone),
    rules: rules.map((rule) => [rule.services ?? [], compileRule(rule, currency)]),
    discounts: discounts.map((discount) => [discount, discountRule(discount, minor)]),
    minor,
    onRuleFailure,
  };
}

function compileService(workshop: Workshop, service: ServiceDocument): Service {
  const { document, calendar, clock, minor, onRuleFailure: onFailure } = workshop;
  const limits = [...service.limits, ...document.limits].map((limit) => ({ limit, span: spanOf(limit, calendar) }));
  const isHere = (services: readonly string[]) => services.length === 0 || services.includes(service.name);
  const discounts = workshop.discounts.filter(([{ services }]) => isHere(services));
  const rules = workshop.rules.filter(([services]) => isHere(services)).map(([, rule]) => rule);
  const rulesOf = (tier: string): TierRules => ({
    limits: limits.map(({ limit, span }) => limitRule(limit, span, tier, minor)),
    discounts: discounts.filter(([{ tiers }]) => tiers.includes(tier)).map(([, rule]) => rule),
  });
  return {
    name: service.name,
    mode: service.mode,
    minimumScore: service.minimumScore,
    reviewAboveMinor: service.reviewAbove === undefined ? undefined : minor(service.reviewAbove),
    rules: rules.length === 0 ? undefined : ruleSet(rules, { calendar, clock, onFailure }),
    byTier: new Map(document.tiers.map(({ name }) => [name, rulesOf(name)])),
  };
}

function limitRule(limit: LimitDocument, span: Span, tier: string, minor: Workshop['minor']): LimitRule {
  const { id, window, scope, byTier, ...own } = limit;
  const { amount = own.amount, count = own.count } = byTier[tier] ?? {};
  return { id, window, span, scope, amountMinor: amount === undefined ? undefined : minor(amount), count };
}

import { parseMoney, Refusal } from '#kernel';
import { findContradictions } from './contradictions.js';
import { discountRule, type DiscountRule } from './discount.js';
import type { LimitDocument, PolicyDocument, ServiceDocument } from './document.js';
import { Calendar, type WindowKind } from './window.js';

/** One limit as it binds one tier: minor units of the policy's currency. */
export interface LimitRule {
  readonly id: string;
  readonly window: WindowKind;
  readonly scope: LimitDocument['scope'];
  readonly amountMinor: bigint | undefined;
  readonly count: number | undefined;
}

export interface TierRules {
  readonly limits: readonly LimitRule[];
  readonly discounts: readonly DiscountRule[];
}

export interface Service {
  readonly name: string;
  readonly mode: ServiceDocument['mode'];
  readonly minimumScore: number | undefined;
  readonly reviewAboveMinor: bigint | undefined;
  readonly byTier: ReadonlyMap<string, TierRules>;
}

/** A policy ready to decide with: every name resolved, every amount exact. Immutable but for the calendar's memory of today. */
export interface Policy {
  readonly id: string;
  readonly version: bigint;
  /** SHA-256 of the document's canonical form (RFC 8785), hex. */
  readonly hash: string;
  readonly currency: string;
  readonly calendar: Calendar;
  /** Highest first. */
  readonly tiers: readonly { readonly name: string; readonly minimumScore: number }[];
  readonly services: ReadonlyMap<string, Service>;
}

/** Resolves a document. Refuses 422 `policy.inconsistent` (`amount.*` for an amount) where it contradicts itself, with the field. */
export function compilePolicy(document: PolicyDocument, hash: string): Policy {
  const [contradiction] = findContradictions(document);
  if (contradiction) {
    const { kind, code, message, pointer } = contradiction;
    throw new Refusal(kind, code, message, { field: pointer });
  }
  const services = document.services.map((service) => [service.name, compileService(document, service)] as const);
  return {
    id: document.id,
    version: BigInt(document.version),
    hash,
    currency: document.currency,
    calendar: new Calendar(document.timeZone),
    tiers: [...document.tiers].sort((a, b) => b.minimumScore - a.minimumScore),
    services: new Map(services),
  };
}

export function tierOf(policy: Policy, score: number): string {
  return (policy.tiers.find(({ minimumScore }) => score >= minimumScore) ?? policy.tiers.at(-1)!).name;
}

function compileService(document: PolicyDocument, service: ServiceDocument): Service {
  const limits = [...service.limits, ...document.limits];
  const discounts = document.discounts.filter(({ services }) => services.length === 0 || services.includes(service.name));
  const rulesOf = (tier: string): TierRules => ({
    limits: limits.map((limit) => limitRule(limit, tier, document.currency)),
    discounts: discounts.filter(({ tiers }) => tiers.includes(tier)).map(discountRule),
  });
  return {
    name: service.name,
    mode: service.mode,
    minimumScore: service.minimumScore,
    reviewAboveMinor: service.reviewAbove === undefined ? undefined : minor(service.reviewAbove, document.currency),
    byTier: new Map(document.tiers.map(({ name }) => [name, rulesOf(name)])),
  };
}

function limitRule({ id, window, scope, byTier, ...own }: LimitDocument, tier: string, currency: string): LimitRule {
  const { amount = own.amount, count = own.count } = byTier[tier] ?? {};
  return { id, window, scope, amountMinor: amount === undefined ? undefined : minor(amount, currency), count };
}

function minor(amount: string, currency: string): bigint {
  return parseMoney({ amount, currency }).minor;
}

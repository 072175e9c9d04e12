import { currencyExponent, parseMoney, Refusal } from '#kernel';
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

const LOWEST_SCORE = 350;

/** Resolves a document. Refuses 422 `policy.inconsistent` where it contradicts itself, with the field. */
export function compilePolicy(document: PolicyDocument, hash: string): Policy {
  refuseContradictions(document);
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

function refuseContradictions(document: PolicyDocument): void {
  const tiers = document.tiers.map(({ name }) => name);
  const services = document.services.map(({ name }) => name);
  const limits = [...document.limits, ...document.services.flatMap((service) => service.limits)];
  refuse(currencyExponent(document.currency) === undefined, '/currency', 'not an active ISO 4217 code');
  refuse(!isTimeZone(document.timeZone), '/timeZone', 'not an IANA time zone');
  refuse(!document.tiers.some(({ minimumScore }) => minimumScore === LOWEST_SCORE), '/tiers', 'one tier must start at 350');
  refuse(hasTwice(tiers) || hasTwice(document.tiers.map((tier) => tier.minimumScore)), '/tiers', 'two tiers share a name or a score');
  refuse(hasTwice(services), '/services', 'two services share a name');
  refuse(hasTwice(limits.map(({ id }) => id)), '/limits', 'two limits share an id, and so would share counters');
  refuse(hasTwice(document.discounts.map(({ id }) => id)), '/discounts', 'two discounts share an id');
  for (const limit of limits) refuseLimit(limit, tiers);
  for (const { id, tiers: named, services: at } of document.discounts) {
    refuse(!named.every((tier) => tiers.includes(tier)), `/discounts/${id}/tiers`, 'names a tier that does not exist');
    refuse(!at.every((service) => services.includes(service)), `/discounts/${id}/services`, 'names a service that does not exist');
  }
}

function refuseLimit(limit: LimitDocument, tiers: readonly string[]): void {
  const field = `/limits/${limit.id}`;
  refuse(!Object.keys(limit.byTier).every((tier) => tiers.includes(tier)), `${field}/byTier`, 'names a tier that does not exist');
  const unlimited = tiers.find((tier) => {
    const cap = { ...limit, ...limit.byTier[tier] };
    return cap.amount === undefined && cap.count === undefined;
  });
  refuse(unlimited !== undefined, field, `says neither amount nor count for tier ${unlimited}`);
  const counts = [limit, ...Object.values(limit.byTier)].some((cap) => cap.count !== undefined);
  refuse(limit.window === 'TRANSACTION' && counts, field, 'a single transaction has no count');
}

function refuse(contradicts: boolean, field: string, detail: string): void {
  if (contradicts) throw new Refusal('unprocessable', 'policy.inconsistent', detail, { field });
}

function hasTwice(values: readonly unknown[]): boolean {
  return new Set(values).size < values.length;
}

function isTimeZone(name: string): boolean {
  try {
    new Calendar(name);
    return true;
  } catch {
    return false;
  }
}

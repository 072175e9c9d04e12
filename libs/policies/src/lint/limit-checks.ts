import { parseMoney } from '#kernel';
import { limitsOf, type PlacedLimit } from '../contradictions.js';
import type { PolicyDocument, ServiceDocument } from '../document.js';
import { windowKey } from '../span.js';
import { type Remark, warning } from './finding.js';
import { reaches, type Tier, tiersOf } from './reach.js';

/** What a limit allows one tier. Undefined: as much as anybody wants. */
interface Bound {
  readonly minor: bigint | undefined;
  readonly count: number | undefined;
}

function boundOf({ limit }: PlacedLimit, tier: string, currency: string): Bound {
  const { amount = limit.amount, count = limit.count } = limit.byTier[tier] ?? {};
  return { minor: amount === undefined ? undefined : parseMoney({ amount, currency }).minor, count };
}

/** A limit with all that is compared about it, read once: some documents have thousands. */
interface ReadLimit extends PlacedLimit {
  readonly at: number;
  readonly bounds: ReadonlyMap<string, Bound>;
}

/** Limits that can never be the one that says no: for every tier that gets there, another counts the same or more and allows no more. */
export function limitsThatNeverBind(document: PolicyDocument): Remark[] {
  const tiers = tiersOf(document);
  const limits = limitsOf(document).map((placed, at): ReadLimit => {
    return { ...placed, at, bounds: new Map(tiers.map(({ name }) => [name, boundOf(placed, name, document.currency)])) };
  });
  const groups = grouped(limits);
  return limits.flatMap((looser) => {
    const reaching = tiers.filter((tier) => document.services.some((service) => appliesTo(looser, service) && reaches(tier, service)));
    // Only one of the same window, and of the same service or of all, counts the same or more.
    const own = looser.service === undefined ? [] : groups.get(groupOf(looser))!;
    const others = [...own, ...(groups.get(groupOf({ ...looser, service: undefined })) ?? [])];
    const binders = reaching.map((tier) => others.find((other) => other !== looser && shadows(other, looser, tier)));
    if (binders.length === 0 || binders.includes(undefined)) return [];
    const names = [...new Set(binders.map((binder) => `"${binder!.limit.id}"`))].join(', ');
    return [warning('limit.never_binds', looser.pointer, `limit "${looser.limit.id}" can never bind: ${names} always does first`)];
  });
}

function grouped(limits: readonly ReadLimit[]): ReadonlyMap<string, ReadLimit[]> {
  const groups = new Map<string, ReadLimit[]>();
  for (const limit of limits) {
    const group = groups.get(groupOf(limit));
    if (group) group.push(limit);
    else groups.set(groupOf(limit), [limit]);
  }
  return groups;
}

function groupOf({ limit, service }: PlacedLimit): string {
  return JSON.stringify([limit.window, windowKey(limit), service]);
}

/** Of two that allow the same, the first one binds. */
function shadows(tighter: ReadLimit, looser: ReadLimit, tier: Tier): boolean {
  const [tight, loose] = [tighter.bounds.get(tier.name)!, looser.bounds.get(tier.name)!];
  if (!allowsNoMore(tight, loose) || !countsAtLeast(tighter, looser)) return false;
  return tighter.at < looser.at || !countsAtLeast(looser, tighter) || !allowsNoMore(loose, tight);
}

/** Whether this limit's counter holds everything that the other's does, where both have the same window. */
function countsAtLeast(one: PlacedLimit, other: PlacedLimit): boolean {
  if (one.service !== undefined && one.service !== other.service) return false;
  if (one.limit.window === 'TRANSACTION' || one.limit.scope === 'SUBJECT') return true;
  // Within one service its scope SUBJECT counts that service only, like SUBJECT_SERVICE.
  const [mine, theirs] = [one, other].map(({ limit, service }) =>
    service !== undefined && limit.scope === 'SUBJECT' ? 'SUBJECT_SERVICE' : limit.scope,
  );
  if (mine === theirs) return true;
  return mine === 'SUBJECT_SERVICE' && theirs === 'SUBJECT_COUNTERPARTY' && other.service !== undefined;
}

function allowsNoMore(tight: Bound, loose: Bound): boolean {
  const noMore = <T extends bigint | number>(a: T | undefined, b: T | undefined) => b === undefined || (a !== undefined && a <= b);
  return noMore(tight.minor, loose.minor) && noMore(tight.count, loose.count);
}

/** Services in which a tier may spend any amount: the gap that a limit was forgotten in. */
export function servicesWithoutLimit(document: PolicyDocument): Remark[] {
  const limits = limitsOf(document);
  return document.services.flatMap((service, i) => {
    const applying = limits.filter((limit) => appliesTo(limit, service));
    const open = tiersOf(document).filter(
      (tier) => reaches(tier, service) && applying.every((limit) => boundOf(limit, tier.name, document.currency).minor === undefined),
    );
    if (open.length === 0) return [];
    const names = open.map(({ name }) => name).join(', ');
    return [warning('service.unlimited', `/services/${i}`, `no limit of "${service.name}" bounds the amount for ${names}`)];
  });
}

/** A service that sends nothing to review, because what is large enough is denied before. */
export function reviewsThatNeverHappen(document: PolicyDocument): Remark[] {
  const limits = limitsOf(document).filter(({ limit }) => limit.window === 'TRANSACTION');
  return document.services.flatMap((service, i) => {
    if (service.reviewAbove === undefined) return [];
    const above = parseMoney({ amount: service.reviewAbove, currency: document.currency }).minor;
    const applying = limits.filter((limit) => appliesTo(limit, service));
    const isDenied = (tier: Tier) => applying.some((limit) => (boundOf(limit, tier.name, document.currency).minor ?? above + 1n) <= above);
    if (
      !tiersOf(document)
        .filter((tier) => reaches(tier, service))
        .every(isDenied)
    )
      return [];
    const message = `nothing of "${service.name}" is ever reviewed: a larger amount is above the limit of a transaction`;
    return [warning('review.unreachable', `/services/${i}/reviewAbove`, message)];
  });
}

function appliesTo(limit: PlacedLimit, service: ServiceDocument): boolean {
  return limit.service === undefined || limit.service === service.name;
}

import { currencyExponent } from '#kernel';
import { amountContradictions } from './amount-contradictions.js';
import { type Contradiction, contradiction, repeated, says } from './contradiction.js';
import type { LimitDocument, PolicyDocument } from './document.js';
import { ruleContradictions } from './rules/rule-contradictions.js';
import { findWindowFaults } from './span.js';
import { Calendar } from './window.js';

const LOWEST_SCORE = 350;

export interface PlacedLimit {
  readonly limit: LimitDocument;
  readonly pointer: string;
  /** Undefined: over all services together. */
  readonly service: string | undefined;
}

/** Every limit of a document and where it stands: services' own first, in the order in which they are judged. */
export function limitsOf(document: PolicyDocument): PlacedLimit[] {
  const own = document.services.flatMap(({ name, limits }, s) =>
    limits.map((limit, i) => ({ limit, service: name, pointer: `/services/${s}/limits/${i}` })),
  );
  return [...own, ...document.limits.map((limit, i) => ({ limit, service: undefined, pointer: `/limits/${i}` }))];
}

/** Everything in a document that contradicts itself. */
export function findContradictions(document: PolicyDocument): Contradiction[] {
  const limits = limitsOf(document);
  const tiers = document.tiers.map(({ name }) => name);
  const found: (Contradiction | Contradiction[] | undefined)[] = [
    says(currencyExponent(document.currency) === undefined, '/currency', 'not an active ISO 4217 code'),
    says(!isTimeZone(document.timeZone), '/timeZone', 'not an IANA time zone'),
    says(!document.tiers.some(({ minimumScore }) => minimumScore === LOWEST_SCORE), '/tiers', `one tier must start at ${LOWEST_SCORE}`),
    repeated(
      document.tiers.map(({ name }, i) => [name, `/tiers/${i}/name`]),
      'another tier has this name',
    ),
    repeated(
      document.tiers.map(({ minimumScore }, i) => [minimumScore, `/tiers/${i}/minimumScore`]),
      'another tier starts at this score',
    ),
    repeated(
      document.services.map(({ name }, i) => [name, `/services/${i}/name`]),
      'another service has this name',
    ),
    repeated(
      limits.map(({ limit, pointer }) => [limit.id, `${pointer}/id`]),
      'another limit has this id, and they would share counters',
    ),
    repeated(
      document.discounts.map(({ id }, i) => [id, `/discounts/${i}/id`]),
      'another discount has this id',
    ),
    repeated(
      (document.rules ?? []).map(({ id }, i) => [id, `/rules/${i}/id`]),
      'another rule has this id',
    ),
    limits.flatMap((placed) => limitContradictions(placed, tiers)),
    document.discounts.flatMap(discountContradictions),
    stackingContradictions(document),
    unknownNames(document, tiers),
    currencyExponent(document.currency) === undefined ? [] : amountContradictions(document, limits),
    currencyExponent(document.currency) === undefined ? [] : ruleContradictions(document),
  ];
  return found.flat().filter((one) => one !== undefined);
}

function limitContradictions({ limit, pointer }: PlacedLimit, tiers: readonly string[]): Contradiction[] {
  const caps: [string, { amount?: string | undefined; count?: number | undefined }][] = [
    [pointer, limit],
    ...Object.entries(limit.byTier).map(([tier, cap]): [string, typeof cap] => [`${pointer}/byTier/${tier}`, cap]),
  ];
  const unlimited = tiers.filter((tier) => {
    const cap = { ...limit, ...limit.byTier[tier] };
    return cap.amount === undefined && cap.count === undefined;
  });
  const strangers = Object.keys(limit.byTier).filter((tier) => !tiers.includes(tier));
  return [
    ...findWindowFaults(limit).map(({ field, message }) =>
      contradiction(limit[field] === undefined ? pointer : `${pointer}/${field}`, message),
    ),
    ...strangers.map((tier) => contradiction(`${pointer}/byTier/${tier}`, 'names a tier that does not exist')),
    ...(unlimited.length === 0 ? [] : [contradiction(pointer, `says neither amount nor count for tier ${unlimited.join(', ')}`)]),
    ...caps.flatMap(
      ([at, { count }]) =>
        says(limit.window === 'TRANSACTION' && count !== undefined, `${at}/count`, 'a single transaction has no count') ?? [],
    ),
  ];
}

function discountContradictions({ percent, amount }: PolicyDocument['discounts'][number], i: number): Contradiction[] {
  const both = says(percent !== undefined && amount !== undefined, `/discounts/${i}/amount`, 'a discount is a percentage or an amount');
  const none = says(percent === undefined && amount === undefined, `/discounts/${i}`, 'a discount says its percentage or its amount');
  return [both, none].filter((one) => one !== undefined);
}

/** A sum without an end could make everything free. */
function stackingContradictions({ stacking }: PolicyDocument): Contradiction[] {
  const isOpen = stacking?.mode === 'SUM' && stacking.maximum === undefined && stacking.maximumPercent === undefined;
  return isOpen ? [contradiction('/stacking', 'discounts that add up need a maximum or a maximumPercent')] : [];
}

function unknownNames({ discounts, services }: PolicyDocument, tiers: readonly string[]): Contradiction[] {
  const known = services.map(({ name }) => name);
  return discounts.flatMap((discount, i) => [
    ...discount.tiers.flatMap(
      (tier, t) => says(!tiers.includes(tier), `/discounts/${i}/tiers/${t}`, 'names a tier that does not exist') ?? [],
    ),
    ...discount.services.flatMap(
      (one, s) => says(!known.includes(one), `/discounts/${i}/services/${s}`, 'names a service that does not exist') ?? [],
    ),
  ]);
}

function isTimeZone(name: string): boolean {
  try {
    new Calendar(name);
    return true;
  } catch {
    return false;
  }
}

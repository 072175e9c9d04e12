import { currencyExponent, parseMoney, Refusal, type RefusalKind } from '#kernel';
import type { LimitDocument, PolicyDocument } from './document.js';
import { Calendar } from './window.js';

export const LOWEST_SCORE = 350;

/** Why a well-formed document cannot decide, and where (RFC 6901). */
export interface Contradiction {
  readonly kind: RefusalKind;
  readonly code: string;
  readonly pointer: string;
  readonly message: string;
}

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
    limits.flatMap((placed) => limitContradictions(placed, tiers)),
    unknownNames(document, tiers),
    currencyExponent(document.currency) === undefined ? [] : amountContradictions(document, limits),
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
    ...strangers.map((tier) => contradiction(`${pointer}/byTier/${tier}`, 'names a tier that does not exist')),
    ...(unlimited.length === 0 ? [] : [contradiction(pointer, `says neither amount nor count for tier ${unlimited.join(', ')}`)]),
    ...caps.flatMap(
      ([at, { count }]) =>
        says(limit.window === 'TRANSACTION' && count !== undefined, `${at}/count`, 'a single transaction has no count') ?? [],
    ),
  ];
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

function amountContradictions({ services, currency }: PolicyDocument, limits: readonly PlacedLimit[]): Contradiction[] {
  const amounts = [
    ...services.map(({ reviewAbove }, i) => [reviewAbove, `/services/${i}/reviewAbove`] as const),
    ...limits.flatMap(({ limit, pointer }) => [
      [limit.amount, `${pointer}/amount`] as const,
      ...Object.entries(limit.byTier).map(([tier, { amount }]) => [amount, `${pointer}/byTier/${tier}/amount`] as const),
    ]),
  ];
  return amounts.flatMap(([amount, pointer]) => (amount === undefined ? [] : (amountContradiction(amount, currency, pointer) ?? [])));
}

function amountContradiction(amount: string, currency: string, pointer: string): Contradiction | undefined {
  try {
    parseMoney({ amount, currency });
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { kind: error.kind, code: error.code, pointer, message: error.detail };
  }
}

/** The second and later of equals. */
function repeated(values: readonly (readonly [value: unknown, pointer: string])[], message: string): Contradiction[] {
  const seen = new Set<unknown>();
  return values.flatMap(([value, pointer]) => {
    if (seen.has(value)) return [contradiction(pointer, message)];
    seen.add(value);
    return [];
  });
}

function says(contradicts: boolean, pointer: string, message: string): Contradiction | undefined {
  return contradicts ? contradiction(pointer, message) : undefined;
}

function contradiction(pointer: string, message: string): Contradiction {
  return { kind: 'unprocessable', code: 'policy.inconsistent', pointer, message };
}

function isTimeZone(name: string): boolean {
  try {
    new Calendar(name);
    return true;
  } catch {
    return false;
  }
}

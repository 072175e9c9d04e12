import { parseMoney, Refusal } from '#kernel';
import type { Contradiction } from './contradiction.js';
import type { PlacedLimit } from './contradictions.js';
import type { PolicyDocument } from './document.js';
import { sanctionsOf } from './ladder-places.js';

type PlacedAmount = readonly [amount: string | undefined, pointer: string];

/** Amounts that the policy's currency has no room for. */
export function amountContradictions(document: PolicyDocument, limits: readonly PlacedLimit[]): Contradiction[] {
  const { services, discounts, stacking, ladder, currency } = document;
  const amounts: PlacedAmount[] = [
    ...services.map(({ reviewAbove }, i): PlacedAmount => [reviewAbove, `/services/${i}/reviewAbove`]),
    ...discounts.flatMap(({ amount, maximum, minimumAmount }, i): PlacedAmount[] => [
      [amount, `/discounts/${i}/amount`],
      [maximum, `/discounts/${i}/maximum`],
      [minimumAmount, `/discounts/${i}/minimumAmount`],
    ]),
    [stacking?.maximum, '/stacking/maximum'],
    ...sanctionsOf(ladder).map(({ sanction, pointer }): PlacedAmount => [sanction.limitAmount, `${pointer}/limitAmount`]),
    ...limits.flatMap(({ limit, pointer }): PlacedAmount[] => [
      [limit.amount, `${pointer}/amount`],
      ...Object.entries(limit.byTier).map(([tier, { amount }]): PlacedAmount => [amount, `${pointer}/byTier/${tier}/amount`]),
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

import type { DiscountDocument } from './document.js';

/** Parts per million: a percentage with four decimals is a whole number of them. */
const PPM = 1_000_000n;
const PPM_PER_PERCENT_DECIMALS = 4;

export type Rounding = DiscountDocument['rounding'];

export interface DiscountRule {
  readonly id: string;
  readonly percent: string;
  readonly ppm: bigint;
  readonly rounding: Rounding;
}

export interface Discount {
  /** Percent, as the policy writes it. */
  readonly rate: string;
  readonly minor: bigint;
  readonly rule: string;
}

export function discountRule({ id, percent, rounding }: DiscountDocument): DiscountRule {
  const [whole, decimals = ''] = percent.split('.') as [string, string?];
  return { id, percent, rounding, ppm: BigInt(whole + decimals.padEnd(PPM_PER_PERCENT_DECIMALS, '0')) };
}

/** What one rule takes off: amount x rate, brought to the minor unit by the rule's rounding, in integers throughout. */
export function discountMinor(rule: DiscountRule, amountMinor: bigint): bigint {
  const product = amountMinor * rule.ppm;
  const floor = product / PPM;
  const twice = (product % PPM) * 2n;
  const up = { DOWN: false, HALF_UP: twice >= PPM, HALF_EVEN: twice > PPM || (twice === PPM && floor % 2n === 1n) }[rule.rounding];
  return up ? floor + 1n : floor;
}

/** Discounts do not add up: the one that takes off most applies, the first of equals. */
export function bestDiscount(rules: readonly DiscountRule[], amountMinor: bigint): Discount | undefined {
  let best: Discount | undefined;
  for (const rule of rules) {
    const minor = discountMinor(rule, amountMinor);
    if (minor > (best?.minor ?? 0n)) best = { rate: rule.percent, minor, rule: rule.id };
  }
  return best;
}

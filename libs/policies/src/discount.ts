import type { DiscountDocument, StackingDocument } from './document.js';

/** Parts per million: a percentage with four decimals is a whole number of them. */
const PPM = 1_000_000n;
const PPM_PER_PERCENT_DECIMALS = 4;

export type Rounding = DiscountDocument['rounding'];

/** One discount of a policy; amounts in minor units of its currency. */
export interface DiscountRule {
  readonly id: string;
  /** As the policy writes it; undefined: a fixed amount. */
  readonly percent: string | undefined;
  readonly ppm: bigint;
  readonly fixedMinor: bigint;
  readonly maximumMinor: bigint | undefined;
  readonly minimumAmountMinor: bigint;
  readonly counterparties: ReadonlySet<string> | undefined;
  readonly rounding: Rounding;
}

/** How several discounts go together, and what all of them may take off at most. */
export interface Stacking {
  readonly mode: StackingDocument['mode'];
  readonly maximumPpm: bigint | undefined;
  readonly maximumMinor: bigint | undefined;
}

export interface Discount {
  /** Percent as the policy writes it, where one percentage alone applies. */
  readonly rate: string | undefined;
  readonly minor: bigint;
  /** The rules that took something off, in the order in which they did, joined by "+". */
  readonly rule: string;
}

type ReadAmount = (amount: string) => bigint;

export function discountRule(document: DiscountDocument, minor: ReadAmount): DiscountRule {
  const { id, percent, rounding, amount, maximum, minimumAmount, counterparties } = document;
  return {
    id,
    percent,
    rounding,
    ppm: percent === undefined ? 0n : ppmOf(percent),
    fixedMinor: amount === undefined ? 0n : minor(amount),
    maximumMinor: maximum === undefined ? undefined : minor(maximum),
    minimumAmountMinor: minimumAmount === undefined ? 0n : minor(minimumAmount),
    counterparties: counterparties && new Set(counterparties),
  };
}

export function stackingOf({ mode, maximumPercent, maximum }: StackingDocument, minor: ReadAmount): Stacking {
  return {
    mode,
    maximumPpm: maximumPercent === undefined ? undefined : ppmOf(maximumPercent),
    maximumMinor: maximum === undefined ? undefined : minor(maximum),
  };
}

/**
 * What one rule takes off an amount, in integers throughout: its fixed amount, or amount x rate brought to the minor unit by its rounding;
 * then no more than its maximum, and never more than the amount.
 */
export function discountMinor(rule: DiscountRule, amountMinor: bigint): bigint {
  const wanted = rule.percent === undefined ? rule.fixedMinor : percentageOf(rule, amountMinor);
  const capped = rule.maximumMinor !== undefined && wanted > rule.maximumMinor ? rule.maximumMinor : wanted;
  return capped > amountMinor ? amountMinor : capped;
}

function percentageOf({ ppm, rounding }: DiscountRule, amountMinor: bigint): bigint {
  const product = amountMinor * ppm;
  const floor = product / PPM;
  if (rounding === 'DOWN') return floor;
  const twice = (product % PPM) * 2n;
  const isUp = twice > PPM || (twice === PPM && (rounding === 'HALF_UP' || floor % 2n === 1n));
  return isUp ? floor + 1n : floor;
}

/**
 * What the rules take off together. BEST: the one that takes off most, the first of equals. SUM: each of the whole amount, added up.
 * SEQUENTIAL: in the order of the document, each of what the former left. Every step is rounded by itself; together they take off no more
 * than the stacking's maximum (its percentage rounded down), and never more than the amount. Undefined: nothing.
 */
export function discountOf(
  rules: readonly DiscountRule[],
  stacking: Stacking,
  amountMinor: bigint,
  counterparty: string | undefined,
): Discount | undefined {
  const taken =
    stacking.mode === 'BEST'
      ? takeBest(rules, amountMinor, counterparty)
      : takeAll(
          rules.filter((rule) => applies(rule, amountMinor, counterparty)),
          stacking.mode,
          amountMinor,
        );
  return taken.length === 0 ? undefined : tell(taken, ceilingOf(stacking, amountMinor));
}

interface Taken {
  readonly rule: DiscountRule;
  readonly minor: bigint;
}

const NOTHING: readonly Taken[] = [];

function applies({ minimumAmountMinor, counterparties }: DiscountRule, amountMinor: bigint, counterparty: string | undefined): boolean {
  if (amountMinor < minimumAmountMinor) return false;
  return counterparties === undefined || (counterparty !== undefined && counterparties.has(counterparty));
}

function takeBest(rules: readonly DiscountRule[], amountMinor: bigint, counterparty: string | undefined): readonly Taken[] {
  let best: Taken | undefined;
  for (const rule of rules) {
    if (!applies(rule, amountMinor, counterparty)) continue;
    const minor = discountMinor(rule, amountMinor);
    if (minor > (best?.minor ?? 0n)) best = { rule, minor };
  }
  return best ? [best] : NOTHING;
}

function takeAll(rules: readonly DiscountRule[], mode: 'SUM' | 'SEQUENTIAL', amountMinor: bigint): readonly Taken[] {
  let left = amountMinor;
  return rules.map((rule) => {
    const minor = discountMinor(rule, mode === 'SUM' ? amountMinor : left);
    left -= minor;
    return { rule, minor };
  });
}

function ceilingOf({ maximumPpm, maximumMinor }: Stacking, amountMinor: bigint): bigint {
  const percentage = maximumPpm === undefined ? amountMinor : (amountMinor * maximumPpm) / PPM;
  const ceiling = maximumMinor !== undefined && maximumMinor < percentage ? maximumMinor : percentage;
  return ceiling < amountMinor ? ceiling : amountMinor;
}

/** Rules that find the ceiling reached took nothing and are not named. */
function tell(taken: readonly Taken[], ceiling: bigint): Discount | undefined {
  let minor = 0n;
  let named = '';
  let rate: string | undefined;
  for (const { rule, minor: wanted } of taken) {
    if (wanted === 0n || minor >= ceiling) continue;
    minor = minor + wanted > ceiling ? ceiling : minor + wanted;
    rate = named === '' ? rule.percent : undefined;
    named = named === '' ? rule.id : `${named}+${rule.id}`;
  }
  return named === '' ? undefined : { rate, minor, rule: named };
}

function ppmOf(percent: string): bigint {
  const [whole, decimals = ''] = percent.split('.') as [string, string?];
  return BigInt(whole + decimals.padEnd(PPM_PER_PERCENT_DECIMALS, '0'));
}

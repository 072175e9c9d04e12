import { parseMoney } from '#kernel';
import { discountMinor, discountRule, type DiscountRule } from '../discount.js';
import type { DiscountDocument, PolicyDocument } from '../document.js';
import { type Remark, warning } from './finding.js';

interface Candidate {
  readonly document: DiscountDocument;
  readonly rule: DiscountRule;
}

/** Discounts that are never the best: another one gives the same tiers in the same services no less. Those that add up all count. */
export function discountsNeverBest(document: PolicyDocument): Remark[] {
  if ((document.stacking?.mode ?? 'BEST') !== 'BEST') return [];
  const candidates = candidatesOf(document);
  return candidates.flatMap((candidate, d) => {
    const better = candidates.find((other, o) => o !== d && outdoes(other, candidate) && (o < d || !outdoes(candidate, other)));
    if (!better) return [];
    const message = `discount "${candidate.rule.id}" never applies: "${better.rule.id}" always takes off as much or more`;
    return [warning('discount.never_best', `/discounts/${d}`, message)];
  });
}

/** Discounts that take off nothing, whatever the amount. */
export function discountsOfNothing(document: PolicyDocument): Remark[] {
  return candidatesOf(document).flatMap(({ rule }, d) => {
    const isNothing = rule.maximumMinor === 0n || (rule.percent === undefined ? rule.fixedMinor : rule.ppm) === 0n;
    return isNothing ? [warning('discount.nothing', `/discounts/${d}`, `discount "${rule.id}" takes off nothing`)] : [];
  });
}

function candidatesOf({ discounts, currency }: PolicyDocument): Candidate[] {
  return discounts.map((document) => ({ document, rule: discountRule(document, (amount) => parseMoney({ amount, currency }).minor) }));
}

function outdoes(other: Candidate, mine: Candidate): boolean {
  return appliesWherever(other, mine) && takesNoLess(other.rule, mine.rule);
}

function appliesWherever(other: Candidate, mine: Candidate): boolean {
  const { services, tiers } = other.document;
  const inServices =
    services.length === 0 || (mine.document.services.length > 0 && mine.document.services.every((name) => services.includes(name)));
  const withCounterparties =
    other.rule.counterparties === undefined ||
    (mine.rule.counterparties !== undefined && [...mine.rule.counterparties].every((name) => other.rule.counterparties!.has(name)));
  const fromAmount = other.rule.minimumAmountMinor <= mine.rule.minimumAmountMinor;
  return inServices && withCounterparties && fromAmount && mine.document.tiers.every((tier) => tiers.includes(tier));
}

/** For every amount to which mine applies. What a rule takes off grows with the amount until its maximum. */
function takesNoLess(other: DiscountRule, mine: DiscountRule): boolean {
  const most = mine.percent === undefined ? least(mine.fixedMinor, mine.maximumMinor) : mine.maximumMinor;
  if (other.percent === undefined) return most !== undefined && least(other.fixedMinor, other.maximumMinor) >= most;
  if (mine.percent === undefined) return discountMinor(other, mine.minimumAmountMinor) >= most!;
  const reachesAsFar = other.maximumMinor === undefined || (most !== undefined && other.maximumMinor >= most);
  return other.rounding === mine.rounding && other.ppm >= mine.ppm && reachesAsFar;
}

function least(amount: bigint, maximum: bigint | undefined): bigint {
  return maximum !== undefined && maximum < amount ? maximum : amount;
}

import { currencyExponent } from '#kernel';

/** Where a band begins, in major units of the currency; the first begins above zero. */
const FLOORS = [0, 10, 100, 1_000, 10_000, 100_000] as const;

/** The band of an amount, as it is told: `100 to 999.99` is `100`, its floor in major units. */
export function bandOf(minor: bigint, currency: string): string {
  const unit = 10n ** BigInt(currencyExponent(currency) ?? 2);
  const floor = FLOORS.findLast((major) => minor >= BigInt(major) * unit);
  return String(floor ?? 0);
}

/** Lowest first. */
export const BANDS: readonly string[] = FLOORS.map(String);

/** `from 100 to below 1000 CNY`. */
export function bandTitle(band: string, currency: string): string {
  const next = FLOORS[FLOORS.findIndex((floor) => String(floor) === band) + 1];
  if (band === '0') return `below ${next} ${currency}`;
  return next === undefined ? `from ${band} ${currency}` : `from ${band} to below ${next} ${currency}`;
}

import { currencyExponent } from './currencies.js';
import { Refusal } from './refusal.js';

/** Money is integer minor units of an ISO 4217 currency. No float ever touches it. */
export interface Money {
  readonly minor: bigint;
  readonly currency: string;
}

/** On the wire: `{"amount":"199.00","currency":"CNY"}`. */
export interface WireMoney {
  readonly amount: string;
  readonly currency: string;
}

const amountMinorMax = 1_000_000_000_000_000n;
/** What is only reported, never added up: 18 digits, as ISO 20022 allows. */
export const reportedMinorMax = 999_999_999_999_999_999n;

const AMOUNT_FORM = /^[0-9]{1,18}(\.[0-9]{1,5})?$/;

/**
 * Reads an amount of zero or more. Refuses `currency.unknown`, `amount.malformed` (sign, exponent, white space),
 * `amount.precision` (non-zero digits beyond the currency's decimals) and `amount.too_large` (above 10^15 minor units, or `minorMax`).
 */
export function parseMoney(wire: WireMoney, field = 'amount', minorMax = amountMinorMax): Money {
  const exponent = currencyExponent(wire.currency);
  if (exponent === undefined) {
    throw new Refusal('unprocessable', 'currency.unknown', 'currency must be an active ISO 4217 code', { field: besideAmount(field) });
  }
  if (!AMOUNT_FORM.test(wire.amount)) {
    throw new Refusal(
      'malformed',
      'amount.malformed',
      'an amount is up to 18 digits, with an optional point and no sign, such as "199.00"',
      { field },
    );
  }
  const [whole, decimals = ''] = wire.amount.split('.') as [string, string?];
  if (/[1-9]/.test(decimals.slice(exponent))) {
    throw new Refusal('unprocessable', 'amount.precision', `${wire.currency} has ${exponent} decimals`, { field });
  }
  const minor = BigInt(whole + decimals.slice(0, exponent).padEnd(exponent, '0'));
  if (minor > minorMax) {
    const limit = `amountMinorMax=${minorMax}`;
    throw new Refusal('unprocessable', 'amount.too_large', `the amount is above ${minorMax} minor units`, { field, limit });
  }
  return { minor, currency: wire.currency };
}

/** Where its currency stands: both are members of one object. */
function besideAmount(field: string): string {
  return field.replace(/amount$/, 'currency');
}

/** Writes minor units with exactly the currency's decimals: `19900n CNY` is `199.00`. Negative amounts get a leading minus. */
export function formatMinor(minor: bigint, currency: string): string {
  const exponent = currencyExponent(currency) ?? 2;
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  return exponent === 0 ? sign + digits : `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

export function toWireMoney(money: Money): WireMoney {
  return { amount: formatMinor(money.minor, money.currency), currency: money.currency };
}

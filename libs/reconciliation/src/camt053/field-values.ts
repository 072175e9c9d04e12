import { type Money, parseMoney, Refusal } from '#kernel';
import { refuseLine, type StatementRefusalCode } from '../codes.js';
import type { Direction, EntryStatus, StatementDate } from '../statement.js';

/** The text of one element as it stands in the file, not trimmed. */
export interface FieldValue {
  readonly name: string;
  readonly text: string;
  readonly line: number;
  /** Attribute `Ccy`, where the element has one. */
  readonly currency: string | undefined;
}

// The amount comes from the bank as text and stays text until this form has been seen: `1e2`, ` 5` and `0x64` end here.
const AMOUNT_FORM = /^[0-9]{1,18}(\.[0-9]{1,5})?$/;
const DATE_FORM = /^(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?$/;
const DATE_TIME_FORM = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:\d{2})?$/;
const COUNT_FORM = /^[0-9]{1,15}$/;
const DECIMAL_FORM = /^[0-9]{1,18}(\.[0-9]{1,17})?$/;

const MONEY_CODES: Readonly<Record<string, StatementRefusalCode>> = {
  'currency.unknown': 'statement.currency_unknown',
  'amount.precision': 'statement.amount_precision',
  'amount.too_large': 'statement.amount_too_large',
};

/** Text for people and references: outer white space is a pretty-printer's. */
export function readText(value: FieldValue): string {
  const text = value.text.trim();
  if (text === '') throw refuseLine('statement.value_refused', value.line, `${value.name} is empty`);
  return text;
}

/** Exact money. Refuses `statement.amount_malformed`, `.amount_precision`, `.amount_too_large`, `.currency_unknown`. */
export function readMoney(value: FieldValue): Money {
  if (!AMOUNT_FORM.test(value.text)) {
    throw refuseLine(
      'statement.amount_malformed',
      value.line,
      `${value.name} must be digits with an optional point and at most five decimals`,
    );
  }
  try {
    return parseMoney({ amount: value.text, currency: value.currency ?? '' });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw refuseLine(MONEY_CODES[error.code] ?? 'statement.amount_too_large', value.line, `${value.name}: ${error.detail}`);
  }
}

export function readDirection(value: FieldValue): Direction {
  return oneOf(value, ['CRDT', 'DBIT'] as const);
}

export function readStatus(value: FieldValue): EntryStatus {
  return oneOf(value, ['BOOK', 'PDNG', 'INFO', 'FUTR'] as const);
}

/** XML Schema boolean. */
export function readBoolean(value: FieldValue): boolean {
  return ['true', '1'].includes(oneOf(value, ['true', 'false', '1', '0'] as const));
}

export function readCount(value: FieldValue): number {
  if (!COUNT_FORM.test(value.text)) throw refuseLine('statement.value_refused', value.line, `${value.name} must be a count`);
  return parseInt(value.text, 10);
}

/** A sum without a currency of its own: kept as text until the account's currency is known. */
export function readDecimal(value: FieldValue): string {
  if (!DECIMAL_FORM.test(value.text)) throw refuseLine('statement.amount_malformed', value.line, `${value.name} must be a decimal number`);
  return value.text;
}

/** An ISO date, or a date and time; without an offset only its day is known. Refuses 30 February and friends. */
export function readDate(value: FieldValue): StatementDate {
  const text = value.text.trim();
  const [, day, time, offset] = DATE_TIME_FORM.exec(text) ?? DATE_FORM.exec(text) ?? [];
  if (day === undefined || !isCalendarDay(day)) throw malformedDate(value);
  // DATE_FORM has no time: its second group is an offset, which names no instant.
  if (time === undefined || offset === undefined) return { day };
  const instant = new Date(`${day}T${time}${offset}`);
  if (Number.isNaN(instant.getTime())) throw malformedDate(value);
  return { day, instant };
}

function isCalendarDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 10) === day;
}

function malformedDate(value: FieldValue): Refusal {
  return refuseLine('statement.date_malformed', value.line, `${value.name} is not a date of the calendar in ISO 8601 form`);
}

function oneOf<const T extends string>(value: FieldValue, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value.text);
  if (found === undefined) throw refuseLine('statement.value_refused', value.line, `${value.name} must be one of ${allowed.join(', ')}`);
  return found;
}

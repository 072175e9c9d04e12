import type { Balance, StatementDate, StatementHead } from './statement.js';

/** The time a statement speaks for: `from` included, `to` not. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

const DAY_MS = 86_400_000;

/**
 * From `FrToDt`, else from the balances: a previous closing balance (PRCD) ends the day before, an opening one starts its day.
 * A day without an offset is a day at `utcOffsetMinutes`. Undefined where the statement names no time at all.
 */
export function periodOf(head: StatementHead, utcOffsetMinutes: number): Period | undefined {
  const start = (date: StatementDate, daysLater = 0) => startOfDay(date.day, utcOffsetMinutes) + daysLater * DAY_MS;
  const opening = find(head.balances, 'OPBD');
  const previous = find(head.balances, 'PRCD');
  const closing = find(head.balances, 'CLBD');
  const fromMs = head.from
    ? (head.from.instant?.getTime() ?? start(head.from))
    : opening
      ? start(opening.on)
      : previous
        ? start(previous.on, 1)
        : undefined;
  const toMs = head.to ? (head.to.instant?.getTime() ?? start(head.to, 1)) : closing ? start(closing.on, 1) : undefined;
  if (fromMs === undefined || toMs === undefined || toMs <= fromMs) return undefined;
  return { from: new Date(fromMs), to: new Date(toMs) };
}

/** Midnight of a calendar day, in epoch milliseconds. */
export function startOfDay(day: string, utcOffsetMinutes: number): number {
  return Date.parse(`${day}T00:00:00Z`) - utcOffsetMinutes * 60_000;
}

/** The currencies a statement can speak for; a payment in another one is not expected on it. */
export function currenciesOf(head: StatementHead): ReadonlySet<string> {
  const own = head.balances.filter(({ code }) => code === 'OPBD' || code === 'PRCD' || code === 'CLBD').map(({ currency }) => currency);
  return new Set(head.accountCurrency === undefined ? own : [head.accountCurrency, ...own]);
}

function find(balances: readonly Balance[], code: string): Balance | undefined {
  return balances.find((balance) => balance.code === code);
}

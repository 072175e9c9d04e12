import type { CheckedStatement } from '../reconciliation.js';
import type { Balance, StatementDate, StatementHead } from '../statement.js';

/** How heads and their verdicts stand in `reconciliations.statements`: minor units as strings, instants in ISO 8601. */
interface StoredStatement {
  readonly head: Omit<StatementHead, 'from' | 'to' | 'balances'> & {
    readonly from?: StoredDate;
    readonly to?: StoredDate;
    readonly balances: readonly (Omit<Balance, 'minor' | 'on'> & { readonly minor: string; readonly on: StoredDate })[];
  };
  /** `balanced` is absent where the totals could not be computed. */
  readonly totals: { readonly balanced?: boolean; readonly reason: string };
}

interface StoredDate {
  readonly day: string;
  readonly instant?: string;
}

/** JSON.stringify writes dates in ISO 8601 and leaves out what is undefined; only bigint needs a word. */
export function encodeStatements(statements: readonly CheckedStatement[]): string {
  return JSON.stringify(statements, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

export function decodeStatements(stored: readonly StoredStatement[]): CheckedStatement[] {
  return stored.map(({ head: { from, to, balances, ...head }, totals: { balanced, reason } }) => ({
    head: {
      ...head,
      ...(from ? { from: decodeDate(from) } : {}),
      ...(to ? { to: decodeDate(to) } : {}),
      balances: balances.map((balance) => ({ ...balance, minor: BigInt(balance.minor), on: decodeDate(balance.on) })),
    },
    totals: { balanced, reason },
  }));
}

function decodeDate({ day, instant }: StoredDate): StatementDate {
  return instant === undefined ? { day } : { day, instant: new Date(instant) };
}

export type { StoredStatement };

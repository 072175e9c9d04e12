import { formatMinor, parseMoney, Refusal } from '#kernel';
import type { Balance, StatementEntry, StatementHead } from './statement.js';

/**
 * Whether a statement ties with its own control totals. `true`: opening balance plus booked entries is the closing balance, and every
 * count and sum the sender states is right. `undefined`: it cannot be computed (a balance is missing, several currencies).
 */
export interface ControlTotals {
  readonly balanced: boolean | undefined;
  /** One sentence for whoever has to ask the sender. */
  readonly reason: string;
}

/** Adds up one statement while it is read; `check` when its head is known. */
export class RunningTotals {
  private readonly booked = new Map<string, bigint>();
  private readonly sums = { CRDT: 0n, DBIT: 0n };
  private readonly counts = { CRDT: 0, DBIT: 0 };
  private brokenSplitLine: number | undefined;

  add(entry: StatementEntry): void {
    const { money, direction } = entry;
    this.counts[direction]++;
    this.sums[direction] += money.minor;
    if (entry.status === 'BOOK') this.booked.set(money.currency, (this.booked.get(money.currency) ?? 0n) + signed(money.minor, direction));
    if (detailsDiffer(entry)) this.brokenSplitLine ??= entry.fileLine;
  }

  /** The statement's own figures, in the order a person would check them. */
  check(head: StatementHead): ControlTotals {
    const wrong = this.wrongSummary(head) ?? this.wrongSplit();
    if (wrong !== undefined) return { balanced: false, reason: wrong };
    return this.checkBalances(head);
  }

  private checkBalances({ balances }: StatementHead): ControlTotals {
    const opening = find(balances, 'OPBD') ?? find(balances, 'PRCD');
    const closing = find(balances, 'CLBD');
    if (!opening || !closing) return { balanced: undefined, reason: 'no opening or no closing balance is given' };
    const currencies = new Set([opening.currency, closing.currency, ...this.booked.keys()]);
    if (currencies.size > 1) return { balanced: undefined, reason: `balances and entries are in ${[...currencies].join(', ')}` };
    const moved = this.booked.get(opening.currency) ?? 0n;
    const difference = closing.minor - opening.minor - moved;
    if (difference === 0n) return { balanced: true, reason: 'the opening balance plus the entries is the closing balance' };
    const amount = `${formatMinor(difference, closing.currency)} ${closing.currency}`;
    return { balanced: false, reason: `the closing balance differs by ${amount} from the opening balance plus the entries` };
  }

  private wrongSummary({ summary, accountCurrency, balances }: StatementHead): string | undefined {
    const { CRDT, DBIT } = this.counts;
    const stated: [what: string, stated: number | undefined, counted: number][] = [
      ['entries', summary.entries, CRDT + DBIT],
      ['credit entries', summary.creditEntries, CRDT],
      ['debit entries', summary.debitEntries, DBIT],
    ];
    for (const [what, said, counted] of stated) {
      if (said !== undefined && said !== counted) return `the statement says it has ${said} ${what} and has ${counted}`;
    }
    const currency = accountCurrency ?? balances[0]?.currency ?? '';
    if (differs(summary.creditSum, this.sums.CRDT, currency)) return 'the stated sum of the credit entries is not their sum';
    if (differs(summary.debitSum, this.sums.DBIT, currency)) return 'the stated sum of the debit entries is not their sum';
    return undefined;
  }

  private wrongSplit(): string | undefined {
    if (this.brokenSplitLine === undefined) return undefined;
    return `the details of the entry on line ${this.brokenSplitLine} do not add up to it`;
  }
}

/** A batch whose details all state their amounts must add up; one whose details are silent makes no claim. */
function detailsDiffer({ details, money, direction }: StatementEntry): boolean {
  if (details.length < 2 || details.some((detail) => detail.money?.currency !== money.currency)) return false;
  const sum = details.reduce((total, detail) => total + signed(detail.money!.minor, detail.direction ?? direction), 0n);
  return sum !== signed(money.minor, direction);
}

function find(balances: readonly Balance[], code: string): Balance | undefined {
  return balances.find((balance) => balance.code === code);
}

function signed(minor: bigint, direction: 'CRDT' | 'DBIT'): bigint {
  return direction === 'CRDT' ? minor : -minor;
}

function differs(stated: string | undefined, sum: bigint, currency: string): boolean {
  if (stated === undefined) return false;
  try {
    return parseMoney({ amount: stated, currency }).minor !== sum;
  } catch (error) {
    // A sum that is no amount of the account's currency cannot be the sum of its entries.
    if (error instanceof Refusal) return true;
    throw error;
  }
}

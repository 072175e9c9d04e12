import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatMinor, parseMoney } from '#kernel';
import { RunningTotals } from '../control-totals.js';
import type { StatementEntry, StatementHead } from '../statement.js';
import { readCamt053 } from './read-camt053.js';

/** Statements by others (see its README). Absent on a machine that has only the repository. */
const DATA = '../shared/data/statements/';

interface ExpectedBalance {
  amount: string;
  ccy: string;
  date: string;
}

interface ExpectedStatement {
  id: string;
  account: string;
  entries: number;
  tx_details: number;
  credit_sum: string;
  debit_sum: string;
  currencies: string[];
  balances: Record<string, ExpectedBalance[]>;
  statuses: string[];
  booking_dates: string[];
  opening_plus_entries_equals_closing: boolean | null;
}

interface Expected {
  must: string;
  derived?: { statements: ExpectedStatement[] };
}

async function read(bytes: Uint8Array, chunkBytes: number): Promise<{ head: StatementHead; entries: StatementEntry[] }[]> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) =>
    bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
  const statements: { head: StatementHead; entries: StatementEntry[] }[] = [];
  let entries: StatementEntry[] = [];
  for await (const part of readCamt053(chunks)) {
    if (part.kind === 'entry') entries.push(part.entry);
    else {
      statements.push({ head: part.head, entries });
      entries = [];
    }
  }
  return statements;
}

function check(head: StatementHead, entries: StatementEntry[]): boolean | undefined {
  const totals = new RunningTotals();
  // The oracle compares balances only; what the sender says about its counts is checked elsewhere.
  for (const entry of entries) totals.add({ ...entry, details: [] });
  return totals.check({ ...head, summary: {} }).balanced;
}

describe.skipIf(!existsSync(DATA))('camt.053 of others (skipped where ../shared/data is absent)', () => {
  const all = existsSync(DATA) ? (JSON.parse(readFileSync(`${DATA}expected.json`, 'utf8')) as Record<string, Expected>) : {};
  const files = Object.entries(all).filter(([path]) => path.startsWith('camt053/'));
  const parseable = files.filter(([, { must }]) => must === 'parse');
  const rejected = files.filter(([, { must }]) => must.startsWith('reject'));

  it.each(parseable)('%s is read as expected, in whatever pieces it comes', async (path, { derived }) => {
    const bytes = readFileSync(DATA + path);
    const whole = await read(bytes, bytes.length);
    expect(await read(bytes, 7)).toEqual(whole);
    expect(whole).toHaveLength(derived!.statements.length);
    whole.forEach(({ head, entries }, i) => expectStatement(head, entries, derived!.statements[i]!));
  });

  it.each(rejected)('%s is refused with its line', async (path) => {
    await expect(read(readFileSync(DATA + path), 100)).rejects.toMatchObject({
      code: 'statement.amount_malformed',
      hints: { extra: { line: 17 } },
    });
  });

  it('other camt messages are refused by their namespace', async () => {
    const other = readFileSync(`${DATA}camt-other/genkgo-camt054.v8.xml`);
    await expect(read(other, 100)).rejects.toMatchObject({ code: 'statement.namespace_unknown' });
  });
});

function expectStatement(head: StatementHead, entries: StatementEntry[], expected: ExpectedStatement): void {
  const currency = expected.currencies[0]!;
  const sum = (direction: string) =>
    entries.filter((entry) => entry.direction === direction).reduce((total, { money }) => total + money.minor, 0n);
  expect(head.id).toBe(expected.id);
  expect(head.account).toBe(expected.account);
  expect(entries).toHaveLength(expected.entries);
  expect(entries.flatMap(({ details }) => details)).toHaveLength(expected.tx_details);
  expect(sum('CRDT')).toBe(parseMoney({ amount: expected.credit_sum, currency }).minor);
  expect(sum('DBIT')).toBe(parseMoney({ amount: expected.debit_sum, currency }).minor);
  expect([...new Set(entries.map(({ money }) => money.currency))].sort()).toEqual(expected.currencies);
  expect([...new Set(entries.map(({ status }) => status))].sort()).toEqual(expected.statuses);
  const days = expected.booking_dates.map((date) => date.slice(0, 10));
  expect([...new Set(entries.map(({ bookedOn }) => bookedOn?.day))].sort()).toEqual([...new Set(days)]);
  const balances = Object.entries(expected.balances).flatMap(([code, rows]) => rows.map((row) => `${code} ${exact(row)} ${row.date}`));
  expect(
    head.balances.map(({ code, minor, currency, on }) => `${code} ${formatMinor(minor, currency)} ${currency} ${on.day}`).sort(),
  ).toEqual(balances.sort());
  expect(check(head, entries)).toBe(expected.opening_plus_entries_equals_closing ?? undefined);
}

function exact({ amount, ccy }: ExpectedBalance): string {
  const negative = amount.startsWith('-');
  const { minor } = parseMoney({ amount: amount.replace('-', ''), currency: ccy });
  return `${formatMinor(negative ? -minor : minor, ccy)} ${ccy}`;
}

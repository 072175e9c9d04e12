import { describe, expect, it } from 'vitest';
import { RunningTotals } from './control-totals.js';
import { periodOf } from './period.js';
import type { Balance, StatementEntry, StatementHead } from './statement.js';

const balance = (code: string, minor: bigint, change: Partial<Balance> = {}): Balance => ({
  code,
  minor,
  currency: 'CNY',
  on: { day: '2026-03-01' },
  ...change,
});

const entry = (minor: bigint, change: Partial<StatementEntry> = {}): StatementEntry => ({
  statement: 1,
  fileLine: 7,
  money: { minor, currency: 'CNY' },
  direction: 'CRDT',
  status: 'BOOK',
  reversal: false,
  references: { others: [], texts: [] },
  details: [],
  ...change,
});

/** Opens with 10.00, takes in 5.00 and 3.00, pays out 2.00, closes with 16.00. */
const head: StatementHead = {
  position: 1,
  id: 'STM-1',
  accountCurrency: 'CNY',
  balances: [balance('OPBD', 1_000n), balance('CLBD', 1_600n)],
  summary: { entries: 3, creditEntries: 2, debitEntries: 1, creditSum: '8.00', debitSum: '2.00' },
};
const entries = [entry(500n), entry(300n), entry(200n, { direction: 'DBIT' })];

function check(change: Partial<StatementHead> = {}, all: readonly StatementEntry[] = entries) {
  const totals = new RunningTotals();
  for (const one of all) totals.add(one);
  return totals.check({ ...head, ...change });
}

describe('control totals', () => {
  it('tie', () => {
    expect(check()).toEqual({ balanced: true, reason: 'the opening balance plus the entries is the closing balance' });
  });

  it('tie with the previous closing balance where there is no opening one', () => {
    expect(check({ balances: [balance('PRCD', 1_000n), balance('CLBD', 1_600n)] }).balanced).toBe(true);
  });

  const detail = (minor: bigint) => ({ money: { minor, currency: 'CNY' }, references: { others: [], texts: [] } });
  const wrong: [what: string, reason: RegExp, change: Partial<StatementHead>, all?: readonly StatementEntry[]][] = [
    ['a closing balance', /differs by 0\.01 CNY/, { balances: [balance('OPBD', 1_000n), balance('CLBD', 1_601n)] }],
    ['an opening balance', /differs by -0\.01 CNY/, { balances: [balance('OPBD', 1_001n), balance('CLBD', 1_600n)] }],
    ['the number of entries', /says it has 4 entries and has 3/, { summary: { entries: 4 } }],
    ['the number of credit entries', /1 credit entries and has 2/, { summary: { creditEntries: 1 } }],
    ['the number of debit entries', /2 debit entries and has 1/, { summary: { debitEntries: 2 } }],
    ['the sum of the credit entries', /credit entries is not their sum/, { summary: { creditSum: '8.01' } }],
    ['the sum of the debit entries', /debit entries is not their sum/, { summary: { debitSum: '1.99' } }],
    ['a sum that is no amount of the currency', /credit entries is not their sum/, { summary: { creditSum: '8.001' } }],
    ['an entry that is not booked', /differs by 3\.00 CNY/, {}, [entry(500n), entry(300n, { status: 'PDNG' }), entries[2]!]],
    [
      'details that do not add up to their entry',
      /details of the entry on line 7 do not add up/,
      { summary: {} },
      [entry(500n, { details: [detail(200n), detail(299n)] }), ...entries.slice(1)],
    ],
  ];
  it.each(wrong)('do not tie for %s', (_what, reason, change, all) => {
    expect(check(change, all)).toEqual({ balanced: false, reason: expect.stringMatching(reason) as string });
  });

  const unknown: [what: string, change: Partial<StatementHead>, all?: readonly StatementEntry[]][] = [
    ['no closing balance', { balances: [balance('OPBD', 1_000n)] }],
    ['no opening balance', { balances: [balance('CLBD', 1_600n)] }],
    ['balances in two currencies', { balances: [balance('OPBD', 1_000n), balance('CLBD', 1_600n, { currency: 'USD' })] }],
    ['entries in another currency', { summary: {} }, [entry(500n, { money: { minor: 500n, currency: 'USD' } })]],
  ];
  it.each(unknown)('say nothing with %s', (_what, change, all) => {
    expect(check(change, all).balanced).toBeUndefined();
  });

  it('take details that add up, and such that say no amounts', () => {
    const whole = entry(500n, { details: [detail(200n), detail(300n)] });
    const silent = entry(300n, { details: [detail(1n), { references: { others: [], texts: [] } }] });
    expect(check({}, [whole, silent, entries[2]!]).balanced).toBe(true);
  });
});

describe('the time a statement speaks for', () => {
  const at = (text: string) => new Date(text);
  const day = (text: string) => ({ day: text });
  const shanghai = 480;
  const rows: [what: string, change: Partial<StatementHead>, period: [from: string, to: string] | undefined][] = [
    ['its balances’ days', {}, ['2026-02-28T16:00:00Z', '2026-03-01T16:00:00Z']],
    [
      'the day after the balance before',
      { balances: [balance('PRCD', 0n, { on: day('2026-02-28') }), balance('CLBD', 0n)] },
      ['2026-02-28T16:00:00Z', '2026-03-01T16:00:00Z'],
    ],
    [
      'what it says itself',
      {
        from: { day: '2026-03-01', instant: at('2026-03-01T08:00:00Z') },
        to: { day: '2026-03-01', instant: at('2026-03-01T09:00:00Z') },
      },
      ['2026-03-01T08:00:00Z', '2026-03-01T09:00:00Z'],
    ],
    [
      'the days it says itself, whole',
      { from: day('2026-03-01'), to: day('2026-03-02') },
      ['2026-02-28T16:00:00Z', '2026-03-02T16:00:00Z'],
    ],
    ['none, without a beginning', { balances: [balance('CLBD', 0n)] }, undefined],
    ['none, without an end', { balances: [balance('OPBD', 0n)] }, undefined],
    ['none, where it ends as it begins', { from: { day: '2026-03-01', instant: at('2026-03-01T16:00:00Z') } }, undefined],
    ['none, where it ends before it begins', { from: day('2026-03-03') }, undefined],
  ];
  it.each(rows)('is %s', (_what, change, period) => {
    const found = periodOf({ ...head, ...change }, shanghai);
    expect(found).toEqual(period && { from: at(period[0]), to: at(period[1]) });
  });
});

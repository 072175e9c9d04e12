import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfirmedPayment } from '#decisions';
import { identifyLine, MATCH_RULES, matchLines, missingPayments } from './match-lines.js';
import { type Outcome, takesPayment } from './outcome.js';
import type { StatementLine } from './statement-line.js';
import { sampleLine, samplePayment } from './testing/samples.js';

/** As the flow does it: identify, match, then ask which expected payments are left. */
function reconcile(
  lines: readonly StatementLine[],
  payments: readonly ConfirmedPayment[],
  taken: ReadonlySet<ConfirmedPayment> = new Set(),
): Outcome[] {
  const known = new Set(payments.map(({ paymentReference }) => paymentReference));
  const identified = lines.map((line) => identifyLine(line, known));
  const candidates = payments.map((payment) => ({ payment, taken: taken.has(payment) }));
  const outcomes = matchLines(identified, candidates, MATCH_RULES);
  const gone = [...taken, ...outcomes.filter(takesPayment).map(({ payment }) => payment!)].map(({ reservation }) => reservation.uuid);
  return [...outcomes, ...missingPayments(payments, new Set(gone), lines.length)];
}

const shown = (outcomes: readonly Outcome[]) =>
  outcomes.map(({ kind, line, payment }) => `${kind} ${line ?? '-'} ${payment?.paymentReference ?? '-'}`);

describe('one line, one payment', () => {
  it.each([
    ['the same', {}, {}, 'MATCHED 1 P-1'],
    ['a fen too much', { minor: 10_001n }, {}, 'OVER_AMOUNT 1 P-1'],
    ['a fen too little', { minor: 9_999n }, {}, 'UNDER_AMOUNT 1 P-1'],
    ['another currency', { currency: 'EUR' }, {}, 'CURRENCY_MISMATCH 1 P-1'],
    ['a debit', { direction: 'DBIT' }, {}, 'DATA_MISMATCH 1 P-1'],
    ['booked on the last day', { bookedOn: '2026-03-04' }, {}, 'MATCHED 1 P-1'],
    ['booked a day later', { bookedOn: '2026-03-05' }, {}, 'LATE 1 P-1'],
    ['booked long before', { bookedOn: '2026-02-25' }, {}, 'DATA_MISMATCH 1 P-1'],
    ['confirmed just before midnight', { bookedOn: '2026-03-04' }, { confirmedAt: new Date('2026-02-28T23:59:59Z') }, 'LATE 1 P-1'],
  ] as const)('%s: %s', (_name, line, payment, expected) => {
    expect(shown(reconcile([sampleLine(1, { endToEndId: 'P-1', ...line })], [samplePayment(1, payment)]))).toEqual([expected]);
  });
});

describe('which payment a line is about', () => {
  const payment = samplePayment(1, { paymentReference: 'ORDER-0001' });
  const line = (change: object) => ({ ...sampleLine(1), references: { others: [], texts: [], ...change } });

  it.each([
    ['end_to_end_id', { endToEndId: 'ORDER-0001' }],
    ['transaction_id', { endToEndId: 'NOTPROVIDED', others: [{ kind: 'transaction_id', value: 'ORDER-0001' }] }],
    ['account_servicer_reference', { others: [{ kind: 'account_servicer_reference', value: 'ORDER-0001' }] }],
    ['remittance_text', { endToEndId: 'ELSE', texts: ['thanks for ORDER-0001.'] }],
    ['remittance_text', { texts: ['EREF+ORDER-0001 KREF+77'] }],
    ['remittance_text', { texts: ['/EREF/ORDER-0001'] }],
  ])('found by %s', (identifiedBy, references) => {
    expect(reconcile([line(references)], [payment])).toMatchObject([{ kind: 'MATCHED', identifiedBy }]);
  });

  it('trusts EndToEndId more than words', () => {
    const other = samplePayment(2, { paymentReference: 'ORDER-0002' });
    const [first] = reconcile([line({ endToEndId: 'ORDER-0001', texts: ['ORDER-0002'] })], [other, payment]);
    expect(first).toMatchObject({ kind: 'MATCHED', payment, identifiedBy: 'end_to_end_id' });
  });

  it('does not find a reference inside a longer one', () => {
    expect(shown(reconcile([line({ texts: ['ORDER-00011'] })], [payment]))).toEqual(['MISSING_OURS 1 -', 'MISSING_THEIRS - ORDER-0001']);
  });
});

describe('twins', () => {
  it('the correct line gets the payment, the other is the duplicate, in any order', () => {
    const wrong = sampleLine(1, { endToEndId: 'P-1', minor: 50n });
    const right = sampleLine(2, { endToEndId: 'P-1' });
    expect(shown(reconcile([wrong, right], [samplePayment(1)]))).toEqual(['DUPLICATE 1 P-1', 'MATCHED 2 P-1']);
  });

  it('two payments of two services with one reference are two payments', () => {
    const payments = [
      samplePayment(1),
      samplePayment(2, { paymentReference: 'P-1', service: 'wallet', money: { minor: 5n, currency: 'CNY' } }),
    ];
    const lines = [sampleLine(1, { endToEndId: 'P-1', minor: 5n }), sampleLine(2, { endToEndId: 'P-1' })];
    expect(shown(reconcile(lines, payments))).toEqual(['MATCHED 1 P-1', 'MATCHED 2 P-1']);
  });

  it('a payment that an earlier statement has is not booked again, nor missed', () => {
    const payment = samplePayment(1);
    expect(shown(reconcile([sampleLine(1, { endToEndId: 'P-1' })], [payment], new Set([payment])))).toEqual(['DUPLICATE 1 P-1']);
    expect(reconcile([], [payment], new Set([payment]))).toEqual([]);
  });
});

describe('whatever the lines and payments', () => {
  const amounts = fc.bigInt({ min: 1n, max: 3n });
  const references = fc.integer({ min: 1, max: 6 }).map((n) => `P-${n}`);
  const lines = fc
    .array(
      fc.record({
        endToEndId: fc.option(references, { nil: 'NONREF' }),
        minor: amounts,
        currency: fc.constantFrom('CNY', 'EUR'),
        direction: fc.constantFrom('CRDT' as const, 'DBIT' as const),
        bookedOn: fc.constantFrom('2026-02-20', '2026-03-01', '2026-03-09'),
        text: fc.constantFrom('', 'order-P-1 P-22222', 'P-3'),
      }),
      { maxLength: 12 },
    )
    .map((entries) => entries.map((entry, i) => sampleLine(i + 1, entry)));
  const payments = fc
    .array(fc.record({ paymentReference: references, minor: amounts, currency: fc.constantFrom('CNY', 'EUR') }), { maxLength: 8 })
    .map((all) =>
      all.map(({ paymentReference, minor, currency }, i) => samplePayment(i + 1, { paymentReference, money: { minor, currency } })),
    );

  it('every line and every expected payment ends in exactly one outcome', () => {
    fc.assert(
      fc.property(lines, payments, (theirs, ours) => {
        const outcomes = reconcile(theirs, ours);
        expect(outcomes.flatMap(({ line }) => line ?? []).sort((a, b) => a - b)).toEqual(theirs.map(({ n }) => n));
        const settled = outcomes
          .filter((outcome) => takesPayment(outcome) || outcome.kind === 'MISSING_THEIRS')
          .map(({ payment }) => payment!);
        expect(new Set(settled).size).toBe(settled.length);
        expect(new Set(settled)).toEqual(new Set(ours));
        expect(outcomes.map(({ n }) => n)).toEqual(outcomes.map((_, i) => i + 1));
      }),
    );
  });

  it('the sums tie: theirs and ours differ by exactly the breaks', () => {
    fc.assert(
      fc.property(lines, payments, (theirs, ours) => {
        const outcomes = reconcile(theirs, ours);
        const amountOf = new Map(theirs.map(({ n, money }) => [n, money.minor]));
        const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
        const differences = outcomes.map((outcome) => {
          const their = outcome.line === undefined ? 0n : amountOf.get(outcome.line)!;
          const our = outcome.kind === 'DUPLICATE' ? 0n : (outcome.payment?.money.minor ?? 0n);
          return their - our;
        });
        expect(sum(differences)).toBe(sum(theirs.map(({ money }) => money.minor)) - sum(ours.map(({ money }) => money.minor)));
        for (const { kind, line, payment } of outcomes) if (kind === 'MATCHED') expect(amountOf.get(line!)).toBe(payment!.money.minor);
      }),
    );
  });

  it('no order of lines or payments changes the answer, nor does matching reference by reference', () => {
    fc.assert(
      fc.property(lines, payments, (theirs, ours) => {
        const whole = reconcile(theirs, ours);
        expect(reconcile(theirs.toReversed(), ours.toReversed())).toEqual(whole);
        const known = new Set(ours.map(({ paymentReference }) => paymentReference));
        const identified = theirs.map((line) => identifyLine(line, known));
        const paged = [...known, undefined].flatMap((reference) =>
          matchLines(
            identified.filter((line) => line.reference?.value === reference),
            ours.filter(({ paymentReference }) => paymentReference === reference).map((payment) => ({ payment, taken: false })),
            MATCH_RULES,
          ),
        );
        expect(paged.sort((a, b) => a.n - b.n)).toEqual(whole.filter(({ line }) => line !== undefined));
      }),
    );
  });
});

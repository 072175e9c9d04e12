import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SHARDS, type ShardedId } from '#kernel';
import { type AllowanceKnown, spendsGranted } from './allowance.js';
import { type RecordedSpend, settleSpends, spendSkewMs, type SpendReport } from './allowance-spend.js';

const shard = SHARDS[0];
const issuedAt = new Date('2026-11-22T10:00:00Z');
const expiresAt = new Date('2026-11-22T10:10:00Z');
const holdUntil = new Date('2026-11-22T11:00:00Z');
const soon = new Date('2026-11-22T10:01:00Z');

function known(change: Partial<AllowanceKnown> = {}): AllowanceKnown {
  const id = { shard, uuid: '01890000-0000-7000-8000-00000000a110' };
  return {
    allowance: {
      ...{ id, subject: id, holder: 'checkout-service', service: 'checkout', counterparty: undefined, channel: undefined },
      ...{ money: { minor: 1_000n, currency: 'CNY' }, spendsAsked: 5, spendsMax: 3, issuedAt, expiresAt, holdUntil },
    },
    hold: { state: 'RESERVED', confirmedMinor: 0n, transactions: 3 },
    ...{ closedAt: undefined, spentMinor: 0n, spends: 0 },
    ...change,
  };
}

const part = (paymentReference: string, minor: bigint, at = soon): SpendReport => ({ paymentReference, minor, at });

function settle(from: AllowanceKnown, reports: readonly SpendReport[], more: object = {}) {
  let made = 0;
  const newReservation = (): ShardedId => ({ shard, uuid: `part-${++made}` });
  return settleSpends({ known: from, reports, close: false, recorded: new Map(), taken: new Set(), at: soon, newReservation, ...more });
}

describe('settling an allowance', () => {
  it.each<[name: string, report: SpendReport, change: Partial<AllowanceKnown>, more: object, result: string, code?: string]>([
    ['in time', part('A', 100n), {}, {}, 'SETTLED'],
    ['the whole', part('A', 1_000n), {}, {}, 'SETTLED'],
    ['one minor unit above', part('A', 1_001n), {}, {}, 'REFUSED', 'allowance.exceeded'],
    ['above what is left', part('A', 501n), { spentMinor: 500n, spends: 1 }, {}, 'REFUSED', 'allowance.exceeded'],
    ['one part too many', part('A', 1n), { spends: 3 }, {}, 'REFUSED', 'allowance.exceeded'],
    ['spent at its end', part('A', 1n, new Date(expiresAt.getTime() + spendSkewMs)), {}, {}, 'REFUSED', 'allowance.outside_time'],
    [
      'spent before it was issued',
      part('A', 1n, new Date(issuedAt.getTime() - spendSkewMs - 1)),
      {},
      {},
      'REFUSED',
      'allowance.outside_time',
    ],
    ['a reference of another payment', part('A', 1n), {}, { taken: new Set(['A']) }, 'REFUSED', 'payment_reference.taken'],
    ['after the hold ran out', part('A', 1n), { hold: { state: 'EXPIRED', confirmedMinor: 0n, transactions: 3 } }, {}, 'LATE'],
    [
      'after it was closed',
      part('A', 1n),
      { closedAt: soon, hold: { state: 'RELEASED', confirmedMinor: 0n, transactions: 0 } },
      {},
      'LATE',
    ],
  ])('%s', (_name, report, change, more, result, code) => {
    expect(settle(known(change), [report], more).results).toMatchObject([{ result, code }]);
  });

  it('takes a reference once, and says when another part is told under it', () => {
    const first = settle(known(), [part('A', 100n), part('A', 100n), part('A', 99n)]);
    expect(first.results.map(({ result, code }) => code ?? result)).toEqual(['SETTLED', 'SETTLED', 'allowance.spend_differs']);
    expect(first.added).toHaveLength(1);
    const recorded = new Map(first.added.map((spend) => [spend.report.paymentReference, spend]));
    const again = settle(first.next, [part('A', 100n)], { recorded });
    expect(again).toMatchObject({ added: [], results: first.added, change: { usedMinor: 0n, usedCount: 0, reservedMinor: 0n } });
  });

  it('ends the hold when its holder closes it, and when nothing is left', () => {
    expect(settle(known(), [], { close: true })).toMatchObject({
      ended: 'release',
      next: { closedAt: soon, hold: { state: 'RELEASED' } },
      change: { usedMinor: 0n, reservedMinor: -1_000n, reservedCount: -3 },
    });
    expect(settle(known(), [part('A', 400n)], { close: true })).toMatchObject({
      ended: 'confirm',
      next: { hold: { state: 'CONFIRMED', confirmedMinor: 400n } },
      change: { usedMinor: 400n, usedCount: 1, reservedMinor: -1_000n, reservedCount: -3 },
    });
    expect(settle(known(), [part('A', 1_000n)])).toMatchObject({ ended: 'confirm', change: { reservedMinor: -1_000n, reservedCount: -3 } });
    expect(settle(known(), [part('A', 1n), part('B', 1n), part('C', 1n)])).toMatchObject({ ended: 'confirm', next: { closedAt: soon } });
  });

  it('never covers more than was reserved, and gives back exactly what it held', () => {
    const report = fc.record({ name: fc.integer({ min: 0, max: 12 }), minor: fc.bigInt({ min: 1n, max: 700n }) });
    const round = fc.record({ reports: fc.array(report, { maxLength: 6 }), close: fc.boolean(), expire: fc.boolean() });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 8 }), (rounds) => {
        let now = known();
        const recorded = new Map<string, RecordedSpend>();
        const sums = { used: 0n, usedCount: 0, reserved: 1_000n, reservedCount: 3 };
        for (const { reports, close, expire } of rounds) {
          if (expire && now.hold.state === 'RESERVED') {
            sums.reserved -= now.allowance.money.minor - now.hold.confirmedMinor;
            sums.reservedCount -= now.hold.transactions;
            now = { ...now, hold: { ...now.hold, state: 'EXPIRED' } };
          }
          const parts = reports.map(({ name, minor }) => part(`R${name}`, minor));
          const step = settle(now, parts, { recorded, close: close && now.closedAt === undefined });
          for (const spend of step.added) recorded.set(spend.report.paymentReference, spend);
          now = step.next;
          sums.used += step.change.usedMinor;
          sums.usedCount += step.change.usedCount;
          sums.reserved += step.change.reservedMinor;
          sums.reservedCount += step.change.reservedCount;
          const isHeld = now.hold.state === 'RESERVED';
          expect(sums.used).toBe(now.spentMinor);
          expect(now.spentMinor <= 1_000n && now.spends <= 3).toBe(true);
          expect(sums.usedCount).toBe(now.spends);
          expect(sums.reserved).toBe(isHeld ? 1_000n - now.hold.confirmedMinor : 0n);
          expect(sums.reservedCount).toBe(isHeld ? now.hold.transactions : 0);
        }
      }),
    );
  });
});

it('grants as many parts as the tightest count has room for, and one at least', () => {
  expect([spendsGranted(5, undefined), spendsGranted(5, 10), spendsGranted(5, 2), spendsGranted(5, 0), spendsGranted(1, 9)]).toEqual([
    5, 5, 3, 1, 1,
  ]);
});

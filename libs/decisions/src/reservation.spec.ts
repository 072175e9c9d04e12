import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { type Reservation, settleReservation, type Settlement } from './reservation.js';

const AT = new Date('2026-11-21T12:00:00Z');
const base: Reservation = {
  id: { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' },
  subject: { shard: 0, uuid: '01890000-0000-7000-8000-000000000002' },
  caller: 'checkout',
  state: 'RESERVED',
  currency: 'CNY',
  amountMinor: 100n,
  confirmedMinor: 0n,
  refundedMinor: 0n,
  expiresAt: new Date(AT.getTime() + 1),
};
const confirmed: Partial<Reservation> = { state: 'CONFIRMED', confirmedMinor: 60n };
const cny = (minor: bigint) => ({ minor, currency: 'CNY' });

type Row = [name: string, known: Partial<Reservation>, step: Settlement, result: string, moved?: bigint];

const ROWS: Row[] = [
  ['confirm the whole', {}, { kind: 'confirm', money: undefined }, 'CONFIRMED 100/0', 100n],
  ['confirm a part', {}, { kind: 'confirm', money: cny(60n) }, 'CONFIRMED 60/0', 60n],
  ['confirm again', confirmed, { kind: 'confirm', money: cny(60n) }, 'CONFIRMED 60/0'],
  ['confirm another amount', confirmed, { kind: 'confirm', money: cny(61n) }, 'reservation.settled'],
  ['confirm too much', {}, { kind: 'confirm', money: cny(101n) }, 'reservation.above_reserved'],
  ['confirm nothing', {}, { kind: 'confirm', money: cny(0n) }, 'reservation.above_reserved'],
  ['confirm other money', {}, { kind: 'confirm', money: { minor: 1n, currency: 'EUR' } }, 'currency.unsupported'],
  ['confirm at the very end', { expiresAt: AT }, { kind: 'confirm', money: undefined }, 'reservation.expired'],
  ['confirm after the sweep', { state: 'EXPIRED' }, { kind: 'confirm', money: undefined }, 'reservation.expired'],
  ['confirm what was released', { state: 'RELEASED' }, { kind: 'confirm', money: undefined }, 'reservation.settled'],
  ['release', {}, { kind: 'release' }, 'RELEASED 0/0', 100n],
  ['release again', { state: 'RELEASED' }, { kind: 'release' }, 'RELEASED 0/0'],
  ['release what was confirmed', confirmed, { kind: 'release' }, 'reservation.settled'],
  ['release too late', { expiresAt: AT }, { kind: 'release' }, 'reservation.expired'],
  ['refund a part', confirmed, { kind: 'refund', money: cny(20n) }, 'CONFIRMED 60/20', 20n],
  ['refund the rest', { ...confirmed, refundedMinor: 20n }, { kind: 'refund', money: undefined }, 'CONFIRMED 60/60', 40n],
  ['refund too much', confirmed, { kind: 'refund', money: cny(61n) }, 'reservation.above_confirmed'],
  ['refund what is only held', {}, { kind: 'refund', money: undefined }, 'reservation.settled'],
];

describe('a reservation', () => {
  it.each(ROWS)('%s', (_name, known, step, result, moved) => {
    let end: string;
    try {
      const { next, movedMinor } = settleReservation({ ...base, ...known }, step, AT);
      end = `${next.state} ${next.confirmedMinor}/${next.refundedMinor}`;
      expect(movedMinor).toBe(moved);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      end = error.code;
    }
    expect(end).toBe(result);
  });

  it('takes from the hold exactly what it held, and a full refund gives back all', () => {
    const confirm = settleReservation(base, { kind: 'confirm', money: cny(60n) }, AT);
    expect(confirm.change).toEqual({ usedMinor: 60n, reservedMinor: -100n, usedCount: 1, reservedCount: -1 });
    const refund = settleReservation(confirm.next, { kind: 'refund', money: undefined }, AT);
    expect(refund.change).toEqual({ usedMinor: -60n, reservedMinor: 0n, usedCount: -1, reservedCount: 0 });
  });
});

import type { Cap } from '#policies';
import type { CounterState } from '../decision.js';
import type { UsageChange } from '../reservation.js';
import { Agenda } from './agenda.js';
import type { RecordedSettlement } from './recorded.js';

/** A row of a counter that an amount is taken from and goes back to. */
export interface Place {
  readonly counter: string;
  readonly startMs: number;
  /** From then on nothing asks for it any more. */
  readonly liveUntilMs: number;
}

/** What a subject has spent and on hold in one row of one counter. */
export interface SimulatedUsage extends Place {
  usedMinor: bigint;
  reservedMinor: bigint;
  usedCount: number;
  reservedCount: number;
}

export interface SimulatedHold {
  readonly decision: string;
  readonly minor: bigint;
  readonly expiresAtMs: number;
  readonly places: readonly Place[];
  state: 'RESERVED' | 'CONFIRMED' | 'ENDED';
  /** Confirmed and not given back. */
  leftMinor: bigint;
  /** How many transactions it still holds; one, unless it is an allowance. */
  transactions: number;
  /** What parts took out of it. */
  spentMinor: bigint;
  isSplit: boolean;
}

export interface Taking {
  readonly decision: string;
  readonly minor: bigint;
  readonly expiresAtMs: number;
  readonly places: readonly Place[];
}

const WHOLE = { leftMinor: 0n, transactions: 1, spentMinor: 0n, isSplit: false };

/** Nothing lives longer: PostgreSQL and our windows end there. */
export const FOREVER_MS = Date.parse('9999-12-31T00:00:00Z');

export function placeOf({ counter, start, resetAt }: Cap): Place {
  return { counter, startMs: start.getTime(), liveUntilMs: resetAt?.getTime() ?? FOREVER_MS };
}

/** From then on nobody can want anything of this hold back. */
export function liveUntilOf({ places }: SimulatedHold): number {
  return places.reduce((latest, { liveUntilMs }) => Math.max(latest, liveUntilMs), 0);
}

/**
 * The counters and holds of one subject as they would be: the ledger's rules (`reserve_batch`, `settleReservation`, `free_expired`) in
 * memory. Who changes them calls in the order of the history's numbers.
 */
export class SimulatedCounters {
  readonly usage = new Map<string, Map<number, SimulatedUsage>>();
  readonly holds = new Map<string, SimulatedHold>();
  private readonly expiries = new Agenda<SimulatedHold>((a, b) => a.expiresAtMs < b.expiresAtMs);

  /** Puts back what was kept elsewhere. */
  restore(usage: Iterable<SimulatedUsage>, holds: Iterable<SimulatedHold>): void {
    for (const row of usage) this.rowsOf(row.counter).set(row.startMs, row);
    for (const hold of holds) this.keep(hold);
  }

  /** Each cap's counter as the ledger would find it, and whether it has room for the amount. */
  look(caps: readonly Cap[], minor: bigint): CounterState[] {
    return caps.map((cap) => {
      const { usedMinor, reservedMinor, taken } = this.sum(cap);
      const { amountMinor, count } = cap;
      const isAbove = amountMinor !== undefined && usedMinor + reservedMinor + minor > amountMinor;
      return { usedMinor, reservedMinor, taken, broken: isAbove || (count !== undefined && taken + 1 > count) };
    });
  }

  take({ decision, minor, expiresAtMs, places }: Taking): void {
    const hold: SimulatedHold = { ...{ decision, minor, expiresAtMs, places, state: 'RESERVED' as const }, ...WHOLE };
    this.keep(hold);
    this.move(hold, { usedMinor: 0n, reservedMinor: minor, usedCount: 0, reservedCount: 1 });
  }

  /** A step that really happened. One of a hold that was never taken here changes nothing. */
  settle(step: Pick<RecordedSettlement, 'decision' | 'kind' | 'minor' | 'transactions' | 'part'>): void {
    const hold = this.holds.get(step.decision);
    if (!hold) return;
    if (step.kind === 'refund') return this.refund(hold, step.minor);
    if (step.kind === 'part' || step.kind === 'late') return this.spend(hold, step.minor, step.part!);
    if (hold.state !== 'RESERVED') return;
    if (step.kind === 'split') this.split(hold, step.transactions!);
    // What parts confirmed is counted already.
    else this.close(hold, step.kind === 'confirm' && !hold.isSplit ? step.minor : 0n);
  }

  /** Gives back what ran out: a hold ends by comparison. */
  freeExpired(atMs: number): void {
    for (let next = this.expiries.next; next && next.expiresAtMs <= atMs; next = this.expiries.next) {
      this.expiries.take();
      if (next.state === 'RESERVED') this.close(next, 0n);
    }
  }

  private refund(hold: SimulatedHold, minor: bigint): void {
    if (hold.state !== 'CONFIRMED' || minor > hold.leftMinor) return;
    hold.leftMinor -= minor;
    const usedCount = hold.leftMinor === 0n ? -1 : 0;
    this.move(hold, { usedMinor: -minor, reservedMinor: 0n, usedCount, reservedCount: 0 });
    if (hold.leftMinor === 0n) this.end(hold);
  }

  private split(hold: SimulatedHold, transactions: number): void {
    this.move(hold, { usedMinor: 0n, reservedMinor: 0n, usedCount: 0, reservedCount: transactions - hold.transactions });
    hold.transactions = transactions;
    hold.isSplit = true;
  }

  /** Out of the hold while it stands; spent all the same when it is gone. */
  private spend(hold: SimulatedHold, minor: bigint, part: string): void {
    const isOpen = hold.state === 'RESERVED';
    this.move(hold, { usedMinor: minor, reservedMinor: isOpen ? -minor : 0n, usedCount: 1, reservedCount: isOpen ? -1 : 0 });
    if (isOpen) hold.spentMinor += minor;
    if (isOpen) hold.transactions--;
    const { expiresAtMs, places } = hold;
    this.keep({ ...WHOLE, decision: part, minor, expiresAtMs, places, state: 'CONFIRMED', leftMinor: minor });
  }

  private close(hold: SimulatedHold, confirmedMinor: bigint): void {
    hold.leftMinor = confirmedMinor;
    const [usedCount, reservedCount] = [confirmedMinor > 0n ? 1 : 0, -hold.transactions];
    this.move(hold, { usedMinor: confirmedMinor, reservedMinor: hold.spentMinor - hold.minor, usedCount, reservedCount });
    if (confirmedMinor > 0n) hold.state = 'CONFIRMED';
    else this.end(hold);
  }

  /** An allowance may still hear of parts that were spent in time. */
  private end(hold: SimulatedHold): void {
    hold.state = 'ENDED';
    if (!hold.isSplit) this.holds.delete(hold.decision);
  }

  private keep(hold: SimulatedHold): void {
    this.holds.set(hold.decision, hold);
    if (hold.state === 'RESERVED') this.expiries.add(hold);
  }

  private move({ places }: SimulatedHold, change: UsageChange): void {
    for (const place of places) {
      const row = this.rowAt(place);
      row.usedMinor += change.usedMinor;
      row.reservedMinor += change.reservedMinor;
      row.usedCount += change.usedCount;
      row.reservedCount += change.reservedCount;
    }
  }

  private sum({ counter, from, start, measure }: Cap): Omit<CounterState, 'broken'> {
    const total = { usedMinor: 0n, reservedMinor: 0n, taken: 0 };
    const rows = this.usage.get(counter);
    if (!rows) return total;
    const [fromMs, startMs] = [from.getTime(), start.getTime()];
    const counted =
      fromMs === startMs ? [rows.get(startMs)] : [...rows.values()].filter((row) => fromMs <= row.startMs && row.startMs <= startMs);
    for (const row of counted) {
      if (!row) continue;
      total.reservedMinor += row.reservedMinor;
      total.taken += row.reservedCount;
      if (measure === 'OPEN') continue;
      total.usedMinor += row.usedMinor;
      total.taken += row.usedCount;
    }
    return total;
  }

  private rowAt(place: Place): SimulatedUsage {
    const rows = this.rowsOf(place.counter);
    const known = rows.get(place.startMs);
    if (known) return known;
    const row = { ...place, usedMinor: 0n, reservedMinor: 0n, usedCount: 0, reservedCount: 0 };
    rows.set(place.startMs, row);
    return row;
  }

  private rowsOf(counter: string): Map<number, SimulatedUsage> {
    const known = this.usage.get(counter);
    if (known) return known;
    const rows = new Map<number, SimulatedUsage>();
    this.usage.set(counter, rows);
    return rows;
  }
}

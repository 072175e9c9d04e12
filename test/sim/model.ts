import type { DecisionEvent, History, SettlementEvent, UsageRow } from './history.js';
import { capsOf, SERVICE_LIMITS, STOPPED_SERVICE } from './sim-policy.js';

interface Hold {
  readonly subject: string;
  readonly minor: bigint;
  readonly expiresAt: Date;
  readonly counters: readonly string[];
  state: 'RESERVED' | 'CONFIRMED' | 'RELEASED' | 'EXPIRED';
  confirmed: bigint;
  refunded: bigint;
}

interface Tally {
  used: bigint;
  reserved: bigint;
  usedCount: bigint;
  reservedCount: bigint;
}

/** A limit that nobody knows lets nothing through. */
const NO_CAP = { minor: -1n, count: 0n, unit: 'day', minutesBefore: 0 } as const;

const MINUTE_MS = 60_000;

interface Details {
  readonly amount: string;
  readonly service: string;
  readonly caps: readonly { readonly counter: string; readonly limit: string; readonly start: string; readonly from?: string }[];
}

/**
 * A second, plain ledger: takes the same events one after the other, in the order of their numbers, and says for each whether it may have
 * been so. It shares no line with the one under test.
 */
export class Model {
  readonly breaches: string[] = [];
  readonly holds = new Map<string, Hold>();
  private readonly tallies = new Map<string, Tally>();
  /** By subject: what may still run out. */
  private readonly open = new Map<string, Set<Hold>>();
  private readonly refundKeys = new Set<string>();

  /** @param stops the versions of standings under which a service is stopped: `<subject> <version>` */
  private constructor(private readonly stops: ReadonlySet<string>) {}

  /** Every breach that the history shows, in words. */
  static judge(history: History, stops: ReadonlySet<string>): Model {
    const model = new Model(stops);
    for (const event of history.events) {
      if (event.type === 'decision') model.decide(event);
      else model.settle(event);
    }
    model.compareReservations(history);
    model.compareUsage(history.usage);
    return model;
  }

  private decide(event: DecisionEvent): void {
    this.freeExpired(event.subject, event.at);
    const { amount, service, caps } = JSON.parse(event.details) as Details;
    const minor = BigInt(amount);
    const name = `decision ${event.decision}`;
    const limits = caps.map(({ limit }) => limit).sort();
    if (limits.join() !== [...SERVICE_LIMITS[service]!].sort().join()) this.breach(`${name} was judged by the limits ${limits.join()}`);
    const known = capsOf(event.policyVersion);
    const rooms = caps.map(({ limit, counter, start, from = start }) => {
      const { minor: capMinor, count, unit, minutesBefore = 0 } = known[limit] ?? NO_CAP;
      if (unit !== 'open' && Date.parse(start) !== event[unit].getTime())
        this.breach(`${name} of ${event.at.toISOString()} counts in the ${unit} that starts ${start}, not ${event[unit].toISOString()}`);
      if (Date.parse(from) !== Date.parse(start) - minutesBefore * MINUTE_MS) this.breach(`${name} counts ${limit} from ${from}`);
      const look = () => counted(this.sum(event.subject, counter, start, minutesBefore), unit === 'open');
      const { used, reserved, taken } = look();
      return { look, broken: used + reserved + minor > capMinor || taken + 1n > count };
    });
    const stopped = service === STOPPED_SERVICE && this.stops.has(`${event.subject} ${event.standingVersion}`);
    if (stopped && event.outcome !== 'DENY') this.breach(`${name} was allowed while ${service} is stopped`);
    const room = rooms.every(({ broken }) => !broken);
    if (room && !stopped && event.outcome === 'DENY') this.breach(`${name} was declined while there was room`);
    if (!room && event.outcome !== 'DENY') this.breach(`overspend: ${name} was allowed ${minor} without room`);
    if (event.outcome !== 'DENY') this.hold(event, minor, caps);
    const told = rooms.map(({ look, broken }) => {
      const { used, reserved, taken } = look();
      return [used, reserved, taken, Number(broken)].join(':');
    });
    if (told.join() !== event.usage) this.breach(`${name} told the usage ${event.usage}, not ${told.join()}`);
  }

  private hold({ decision, subject, expiresAt, at }: DecisionEvent, minor: bigint, caps: Details['caps']): void {
    if (!expiresAt || expiresAt <= at) return this.breach(`decision ${decision} holds nothing`);
    const counters = caps.map(({ counter, start }) => counterName(subject, counter, start));
    const hold: Hold = { subject, minor, expiresAt, counters, state: 'RESERVED', confirmed: 0n, refunded: 0n };
    this.holds.set(decision, hold);
    this.open.set(subject, (this.open.get(subject) ?? new Set()).add(hold));
    this.move(counters, { used: 0n, reserved: minor, usedCount: 0n, reservedCount: 1n });
  }

  private settle(event: SettlementEvent): void {
    const hold = this.holds.get(event.reservation);
    if (!hold) return this.breach(`the ${event.kind} of ${event.reservation} has no reservation before it`);
    if (event.kind === 'refund') return this.refund(hold, event);
    const name = `reservation ${event.reservation}`;
    if (hold.state === 'CONFIRMED' || hold.state === 'RELEASED') return this.breach(`${name} is ${hold.state} and took a ${event.kind}`);
    if (hold.expiresAt <= event.at) return this.breach(`${name} ran out and took a ${event.kind} at ${event.at.toISOString()}`);
    const freed = { reserved: -hold.minor, reservedCount: -1n };
    if (event.kind === 'release') {
      hold.state = 'RELEASED';
      return this.move(hold.counters, { ...freed, used: 0n, usedCount: 0n });
    }
    if (event.minor > hold.minor) this.breach(`${name} was confirmed above its amount`);
    hold.state = 'CONFIRMED';
    hold.confirmed = event.minor;
    this.move(hold.counters, { ...freed, used: event.minor, usedCount: 1n });
  }

  private refund(hold: Hold, { reservation, key, minor }: SettlementEvent): void {
    const name = `${reservation} ${key}`;
    if (this.refundKeys.has(name)) this.breach(`one key, two refunds: ${name}`);
    this.refundKeys.add(name);
    hold.refunded += minor;
    if (hold.state !== 'CONFIRMED' || hold.refunded > hold.confirmed) this.breach(`reservation ${reservation} gave back more than it took`);
    this.move(hold.counters, { used: -minor, usedCount: hold.refunded === hold.confirmed ? -1n : 0n, reserved: 0n, reservedCount: 0n });
  }

  private freeExpired(subject: string, at: Date): void {
    const open = this.open.get(subject) ?? new Set();
    for (const hold of open) {
      if (hold.state === 'RESERVED' && hold.expiresAt <= at) this.expire(hold);
      if (hold.state !== 'RESERVED') open.delete(hold);
    }
  }

  private expire(hold: Hold): void {
    hold.state = 'EXPIRED';
    this.move(hold.counters, { used: 0n, usedCount: 0n, reserved: -hold.minor, reservedCount: -1n });
  }

  /** Rows and model agree; a sweep may have freed what ran out after the subject's last decision. */
  private compareReservations({ reservations }: History): void {
    for (const [id, hold] of this.holds) {
      const row = reservations.get(id);
      if (!row) {
        this.breach(`reservation ${id} is gone`);
        continue;
      }
      if (row.state === 'EXPIRED' && hold.state === 'RESERVED' && hold.expiresAt.getTime() <= Date.now()) this.expire(hold);
      const [ours, theirs] = [hold, row].map(({ state, minor, confirmed, refunded }) => [state, minor, confirmed, refunded].join(' '));
      if (ours !== theirs) this.breach(`reservation ${id} is ${theirs}, not ${ours}`);
    }
    for (const id of reservations.keys()) if (!this.holds.has(id)) this.breach(`reservation ${id} has no decision`);
  }

  private compareUsage(rows: readonly UsageRow[]): void {
    const kept = new Map(rows.map((row) => [counterName(row.subject, row.counter, row.start.toISOString()), tallyText(row)]));
    const empty = tallyText(newTally());
    for (const name of new Set([...kept.keys(), ...this.tallies.keys()])) {
      const [theirs, ours] = [kept.get(name) ?? empty, tallyText(this.tallies.get(name) ?? newTally())];
      if (ours !== theirs) this.breach(`usage of ${name} is ${theirs}, not ${ours}`);
    }
  }

  /** What counts now: the row of the window, and of a rolling one the rows of the minutes before. */
  private sum(subject: string, counter: string, start: string, minutesBefore: number): Tally {
    const sum = newTally();
    for (let minutes = 0; minutes <= minutesBefore; minutes++) {
      const row = this.tallies.get(counterName(subject, counter, new Date(Date.parse(start) - minutes * MINUTE_MS).toISOString()));
      if (row) for (const part of Object.keys(sum) as (keyof Tally)[]) sum[part] += row[part];
    }
    return sum;
  }

  private tally(name: string): Tally {
    const tally = this.tallies.get(name) ?? newTally();
    this.tallies.set(name, tally);
    return tally;
  }

  private move(counters: readonly string[], change: Tally): void {
    for (const name of counters) {
      const tally = this.tally(name);
      for (const part of Object.keys(change) as (keyof Tally)[]) tally[part] += change[part];
    }
  }

  private breach(what: string): void {
    this.breaches.push(what);
  }
}

/** Open exposure counts what is on hold and forgets what was confirmed. */
function counted({ used, reserved, usedCount, reservedCount }: Tally, open: boolean) {
  return open ? { used: 0n, reserved, taken: reservedCount } : { used, reserved, taken: usedCount + reservedCount };
}

function newTally(): Tally {
  return { used: 0n, reserved: 0n, usedCount: 0n, reservedCount: 0n };
}

function tallyText({ used, reserved, usedCount, reservedCount }: Tally): string {
  return `used ${used} (${usedCount}), reserved ${reserved} (${reservedCount})`;
}

/** One instant has many spellings; a counter's name has one. */
function counterName(subject: string, counter: string, start: string): string {
  return `${subject} ${counter} ${new Date(start).toISOString()}`;
}

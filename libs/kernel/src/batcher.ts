import { ArrivalRate } from './arrival-rate.js';
import { Refusal } from './refusal.js';

/** 503: nothing was done. `limit`: the limit that was passed, with its value. */
const overloaded = (limit: string) =>
  new Refusal('unavailable', 'overloaded', 'more is waiting than can be done in time; nothing was done', { limit, retryAfterSeconds: 1 });

/** 503: what became of it shows when it is sent again under the same name. `cause`: why no answer came. */
export const outcomeUnknown = (cause: unknown) =>
  new Refusal(
    'unavailable',
    'outcome.unknown',
    'the ledger did not answer; repeat with the same key to learn what became of the call',
    { retryAfterSeconds: 1 },
    { cause },
  );

/** The request went out and no answer came back: what it did is unknown until it is looked up. */
export class LostReply extends Error {
  override readonly name = 'LostReply';
}

export interface BatcherLimits {
  readonly itemsMax: number;
  readonly inFlightMax: number;
  /** Items waiting beyond those in flight. */
  readonly queueItemsMax: number;
  /** Whoever would wait longer, as fast as batches lately came back, is refused at once. Absent: nobody for that reason. */
  readonly waitMsMax?: number;
}

export interface BatchPort<Item, Answer> {
  /**
   * All or nothing, one answer per item in order. Rejects with `LostReply` where the effect is unknown, with anything else where
   * nothing was saved.
   */
  send(items: readonly Item[]): Promise<readonly Answer[]>;
  /** What became of these items, once nothing of them is under way any more. Undefined: nothing was saved. */
  lookUp(items: readonly Item[]): Promise<readonly (Answer | undefined)[]>;
}

/** Fewer than this and a second commit costs more than working side by side gains. */
const itemsWorthSharing = 32;

/** One that was away for long says little; sixteen of them say that the ledger is slow. */
const batchesRemembered = 16;

/**
 * Where so many come in a gap, a batch waits until the gap since the one before is over: small ones cost twice as much for each item. Told by
 * how fast callers come: the size of batches tells only what was done before, and a crowd that begins in small ones stayed in them.
 */
const crowdItems = 8;
const crowdGapMs = 4;
const arrivalsRememberedMs = 50;

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Turns single items into batches the way a bus does: it leaves when the one before has come back, with whoever is there, so nothing waits
 * on an idle system and batches grow with the load. Only where callers lately came in numbers does a small one wait a few milliseconds
 * for more. A bad item is found by halving and answered alone.
 */
export class Batcher<Item, Answer> {
  private queue: Waiting<Item, Answer>[] = [];
  private inFlight = 0;
  private itemsInFlight = 0;
  private scheduled = false;
  /** How long batches lately were away. */
  private batchMs = 0;
  private readonly arrivals = new ArrivalRate(arrivalsRememberedMs);
  private departedMs = -Infinity;
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly port: BatchPort<Item, Answer>,
    private readonly limits: BatcherLimits,
  ) {}

  /** Refuses 503 `overloaded` when too many wait or the wait is too long, and `outcome.unknown` when an answer was lost and nothing is found saved. */
  submit(item: Item): Promise<Answer> {
    if (this.queue.length >= this.limits.queueItemsMax) return Promise.reject(overloaded(`queueItemsMax=${this.limits.queueItemsMax}`));
    const { waitMsMax = Infinity } = this.limits;
    if (this.waitMs() > waitMsMax) return Promise.reject(overloaded(`waitMsMax=${waitMsMax}`));
    this.arrivals.note(performance.now());
    return new Promise((resolve, reject) => {
      this.queue.push({ item, resolve, reject });
      this.schedule();
    });
  }

  get waiting(): number {
    return this.queue.length;
  }

  /** Departure waits for the end of this turn of the event loop: what arrived together travels together. */
  private schedule(): void {
    if (this.scheduled || this.inFlight >= this.limits.inFlightMax || this.isPaused()) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.queue.length > 0 && this.inFlight < this.limits.inFlightMax) this.depart(this.seats());
    });
  }

  /** Whether a few of a crowd wait for more. The pause ends by itself. */
  private isPaused(): boolean {
    if (this.queue.length < itemsWorthSharing) {
      if (this.pause) return true;
      const nowMs = performance.now();
      const restMs = this.departedMs + crowdGapMs - nowMs;
      if (restMs <= 0 || this.arrivals.at(nowMs) * crowdGapMs < crowdItems) return false;
      this.pause = setTimeout(() => this.endPause(), Math.ceil(restMs));
      return true;
    }
    clearTimeout(this.pause);
    this.pause = undefined;
    return false;
  }

  private endPause(): void {
    this.pause = undefined;
    this.schedule();
  }

  /** Many are shared evenly among the batches that are with the ledger and one that is read and answered here meanwhile. */
  private seats(): number {
    if (this.queue.length <= itemsWorthSharing) return this.queue.length;
    const parts = this.inFlight === 0 ? this.limits.inFlightMax : this.limits.inFlightMax + 1;
    return Math.ceil((this.queue.length + this.itemsInFlight) / parts);
  }

  private depart(seats: number): void {
    const batch = this.queue.splice(0, Math.min(seats, this.limits.itemsMax));
    this.inFlight++;
    this.itemsInFlight += batch.length;
    const departedMs = performance.now();
    this.departedMs = departedMs;
    void this.carry(batch).finally(() => {
      this.inFlight--;
      this.itemsInFlight -= batch.length;
      this.batchMs += (performance.now() - departedMs - this.batchMs) / batchesRemembered;
      if (this.queue.length > 0) this.schedule();
    });
  }

  /** How long a newcomer would wait: full batches leave, side by side, each away as long as they lately were. */
  private waitMs(): number {
    const { itemsMax, inFlightMax } = this.limits;
    return Math.floor(this.queue.length / (itemsMax * inFlightMax)) * this.batchMs;
  }

  private async carry(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.port.send(batch.map(({ item }) => item));
      if (answers.length !== batch.length) throw new LostReply(`${answers.length} answers for ${batch.length} items`);
      batch.forEach(({ resolve }, i) => resolve(answers[i]!));
    } catch (error) {
      if (error instanceof LostReply) return await this.lookUp(batch, error);
      if (batch.length === 1 || isOfNoItem(error)) return batch.forEach(({ reject }) => reject(error));
      const half = Math.ceil(batch.length / 2);
      await this.carry(batch.slice(0, half));
      await this.carry(batch.slice(half));
    }
  }

  /** Never sends again: what is not found is the caller's to repeat, with the same key. */
  private async lookUp(batch: readonly Waiting<Item, Answer>[], lost: LostReply): Promise<void> {
    const found = await this.port.lookUp(batch.map(({ item }) => item)).catch((): undefined[] => []);
    batch.forEach(({ resolve, reject }, i) => {
      const answer = found[i];
      if (answer === undefined) reject(outcomeUnknown(lost.cause ?? lost));
      else resolve(answer);
    });
  }
}

/** Nothing is taken at all: no half of the batch would fare better. */
function isOfNoItem(error: unknown): boolean {
  return error instanceof Refusal && error.kind === 'unavailable';
}

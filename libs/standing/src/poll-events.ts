import type { PollAnswer, PollRequest } from '#contract';
import { type Clock, Refusal } from '#kernel';
import { eventToken, type StoredEvent } from './event.js';
import type { Notary } from './notary.js';
import type { EventQueue } from './store.js';

const longPollMsMax = 25_000;
const longPollsPerParticipantMax = 4;
/** How often a long poll looks; between looks it holds nothing. */
const lookEveryMs = 500;

/** Resolves after so many milliseconds, or at once when the signal aborts. */
export type Pause = (ms: number, signal?: AbortSignal) => Promise<void>;

/** Event delivery by polling (RFC 8936): at least once, in order per subject. What is not acknowledged comes again. */
export class PollEvents {
  private readonly waitingNow = new Map<string, number>();

  constructor(
    private readonly queue: EventQueue,
    private readonly notary: Notary,
    private readonly clock: Clock,
    private readonly pause: Pause,
  ) {}

  /** Refuses 429 `poll.too_many` beyond `longPollsPerParticipantMax` waiting polls. `signal`: the caller went away. */
  async run(participant: string, request: PollRequest, signal?: AbortSignal): Promise<PollAnswer> {
    await this.settle(participant, request);
    const found = await this.look(participant, request);
    if (found.length > 0 || request.returnImmediately || request.maxEvents === 0) return await this.answer(found, request);
    return await this.answer(await this.wait(participant, request, signal), request);
  }

  private async settle(participant: string, { ack, setErrs }: PollRequest): Promise<void> {
    const at = this.clock.now();
    const failures = new Map(Object.entries(setErrs).filter(([id]) => !ack.includes(id)));
    if (ack.length > 0) await this.queue.acknowledge(participant, ack, at);
    if (failures.size > 0) await this.queue.fail(participant, failures, at);
  }

  /** One more than asked for shows that more is available. */
  private look(participant: string, { maxEvents }: PollRequest): Promise<StoredEvent[]> {
    return this.queue.waiting(participant, maxEvents + 1, this.clock.now());
  }

  private async wait(participant: string, request: PollRequest, signal: AbortSignal | undefined): Promise<StoredEvent[]> {
    const already = this.waitingNow.get(participant) ?? 0;
    if (already >= longPollsPerParticipantMax) {
      throw new Refusal('throttled', 'poll.too_many', 'too many of your polls wait already', {
        limit: `longPollsPerParticipantMax=${longPollsPerParticipantMax}`,
        retryAfterSeconds: 5,
      });
    }
    this.waitingNow.set(participant, already + 1);
    try {
      return await this.lookUntil(this.clock.now().getTime() + longPollMsMax, participant, request, signal);
    } finally {
      this.waitingNow.set(participant, this.waitingNow.get(participant)! - 1);
    }
  }

  private async lookUntil(deadlineMs: number, participant: string, request: PollRequest, signal?: AbortSignal): Promise<StoredEvent[]> {
    let found: StoredEvent[] = [];
    while (found.length === 0 && signal?.aborted !== true && this.clock.now().getTime() < deadlineMs) {
      await this.pause(lookEveryMs, signal);
      found = await this.look(participant, request);
    }
    return found;
  }

  private async answer(found: readonly StoredEvent[], { maxEvents }: PollRequest): Promise<PollAnswer> {
    const told = found.slice(0, maxEvents);
    const tokens = await Promise.all(told.map((event) => eventToken(event, this.notary)));
    return { sets: Object.fromEntries(told.map(({ id }, i) => [id, tokens[i]!])), moreAvailable: found.length > maxEvents };
  }
}

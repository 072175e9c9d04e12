import { EVENT_TOKEN_TYPE, WEBHOOK_CHALLENGE_URI } from '#contract';
import type { Clock } from '#kernel';
import { eventToken } from '../event.js';
import type { Notary } from '../notary.js';
import { backoffMs } from './backoff.js';
import { afterPush } from './circuit.js';
import type { DeliveryStore, FailedPush, HeldWebhook, PushableEvent } from './delivery-store.js';
import { judgeEcho, judgePush, type PushOutcome, type PushToken } from './push.js';
import { Round } from './round.js';
import { SettleAcks } from './settle-acks.js';

/** Requests under way at one partner. */
export const pushesPerPartnerMax = 8;
const eventsPerPage = 128;

export type DeliveryResult = 'NOTHING' | 'CONFIRMED' | 'UNCONFIRMED' | 'DRAINED' | 'FAILING' | 'MORE';

/**
 * Pushes what waits for one participant: at least once, in order per subject. Everything it knows stands in PostgreSQL; a process that dies
 * leaves a lease that runs out, and what was pushed and not yet written down is pushed again.
 */
export class DeliverEvents {
  private stopped = false;

  constructor(
    private readonly store: DeliveryStore,
    private readonly push: PushToken,
    private readonly notary: Notary,
    private readonly clock: Clock,
  ) {}

  async run(participant: string): Promise<DeliveryResult> {
    const at = this.clock.now();
    const held = await this.store.claim(participant, at);
    if (!held) return 'NOTHING';
    const round = new Round(held, at);
    try {
      return held.challenge === undefined ? await this.drain(round) : await this.challenge(held, held.challenge);
    } finally {
      await this.store.release(held, round.deliveredAt);
    }
  }

  /** The process ends: what is under way is finished, nothing more is begun. What waits is the next worker's. */
  stop(): void {
    this.stopped = true;
  }

  private async challenge(held: HeldWebhook, challenge: string): Promise<DeliveryResult> {
    const at = this.clock.now();
    const claims = {
      iss: this.notary.issuer,
      aud: held.participant,
      jti: this.notary.uuid(at),
      iat: Math.floor(at.getTime() / 1_000),
      sub_id: { format: 'opaque', id: held.participant },
      events: { [WEBHOOK_CHALLENGE_URI]: { challenge } },
    };
    const answer = await this.push(held, this.notary.sign(EVENT_TOKEN_TYPE, claims, held.participant));
    const outcome = judgeEcho(answer, challenge);
    if (outcome.kind === 'TAKEN') {
      await this.store.confirm(held, this.clock.now());
      return 'CONFIRMED';
    }
    // One attempt at a time from the first: nobody has shown yet that this address wants anything from us.
    const asked = { ...outcome, retryAfterSeconds: 0 } as PushOutcome;
    await this.store.keepCircuit(held, held.circuit, afterPush(held.circuit, asked, this.clock.now(), this.chance()), this.clock.now());
    return 'UNCONFIRMED';
  }

  private async drain(round: Round): Promise<DeliveryResult> {
    const { held } = round;
    while (!this.isOver(round)) {
      const wanted = round.circuit.failingSince ? 1 : eventsPerPage;
      const page = await this.store.pushable(held, wanted, this.clock.now());
      await this.pushPage(round, page);
      // What came meanwhile is found by the next look for work; asking again now would double the cost of a quiet partner.
      if (page.length < wanted && !this.isOver(round)) return 'DRAINED';
    }
    return round.isTripped ? 'FAILING' : 'MORE';
  }

  /** Subjects side by side, the events of one subject one after the other. */
  private async pushPage(round: Round, page: readonly PushableEvent[]): Promise<void> {
    const acks = new SettleAcks((ids) => this.store.acknowledge(round.held.participant, ids, this.clock.now()));
    const failed: FailedPush[] = [];
    const lanes = [...bySubject(page).values()];
    const known = round.circuit;
    const worker = async () => {
      for (let lane = lanes.shift(); lane; lane = lanes.shift()) await this.pushLane(round, lane, acks, failed);
    };
    // Whoever comes after us must not meet a push of ours: what breaks one lane ends the round, and all are waited for.
    const safely = () => worker().catch((error: unknown) => round.breakOff(error));
    await Promise.all(Array.from({ length: Math.min(pushesPerPartnerMax, lanes.length) }, safely));
    await acks.settled();
    round.check();
    if (failed.length > 0) await this.store.fail(round.held.participant, failed, this.clock.now());
    if (round.circuit !== known) await this.store.keepCircuit(round.held, known, round.circuit, this.clock.now());
  }

  private async pushLane(round: Round, lane: readonly PushableEvent[], acks: SettleAcks, failed: FailedPush[]): Promise<void> {
    for (const event of lane) {
      const token = await eventToken(event, this.notary);
      if (this.isOver(round) || !(await round.keepLease(this.store, this.clock.now()))) return;
      const outcome = judgePush(await this.push(round.held, token));
      const at = this.clock.now();
      round.circuit = afterPush(round.circuit, outcome, at, this.chance());
      if (outcome.kind !== 'TAKEN') return void failed.push(this.failedPush(event, outcome, at));
      acks.add(event.id, at);
      round.deliveredAt = at;
    }
  }

  private failedPush(event: PushableEvent, outcome: Exclude<PushOutcome, { kind: 'TAKEN' }>, at: Date): FailedPush {
    const asked = outcome.kind === 'TROUBLE' ? outcome.retryAfterSeconds : undefined;
    const retryAt = new Date(at.getTime() + backoffMs(event.failures + 1, this.chance(), asked));
    return { event, failure: outcome.failure, refused: outcome.kind === 'REFUSED', retryAt };
  }

  private isOver(round: Round): boolean {
    return this.stopped || round.isOver(this.clock.now());
  }

  private chance(): number {
    return this.notary.salt()[0]! / 256;
  }
}

function bySubject(page: readonly PushableEvent[]): Map<string, PushableEvent[]> {
  const lanes = new Map<string, PushableEvent[]>();
  for (const event of page) {
    const lane = lanes.get(event.ref.uuid);
    if (lane) lane.push(event);
    else lanes.set(event.ref.uuid, [event]);
  }
  return lanes;
}

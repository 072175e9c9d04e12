import type { Circuit } from './circuit.js';
import type { DeliveryStore, HeldWebhook } from './delivery-store.js';

/** One run ends after this long, so that nobody waits behind a partner with a long queue. */
const runMsMax = 10_000;

/** A push begins only while more of the lease is left than a push can take: the lease is two time-outs, renewed after this share of it. */
const renewedShare = 0.3;
export const leaseMsFor = (timeoutMs: number): number => 2 * timeoutMs;

/** One run over one webhook. */
export class Round {
  circuit: Circuit;
  /** When the last event was taken. */
  deliveredAt: Date | undefined;
  private renewedAtMs: number;
  private renewing: Promise<void> | undefined;
  private leaseLost = false;
  private broken: { readonly error: unknown } | undefined;
  private readonly endsAtMs: number;

  /** `at`: before the lease was asked for, so that we believe in it for no longer than PostgreSQL does. */
  constructor(
    readonly held: HeldWebhook,
    at: Date,
  ) {
    this.circuit = held.circuit;
    this.renewedAtMs = at.getTime();
    this.endsAtMs = at.getTime() + runMsMax;
  }

  /** The endpoint is in trouble and its next try lies ahead. */
  get isTripped(): boolean {
    return this.circuit.nextTryAt !== undefined && this.circuit !== this.held.circuit;
  }

  isOver(at: Date): boolean {
    return this.isTripped || this.leaseLost || this.broken !== undefined || at.getTime() >= this.endsAtMs;
  }

  breakOff(error: unknown): void {
    this.broken ??= { error };
  }

  /** Throws the error that broke this round, if one did. */
  check(): void {
    if (this.broken) throw this.broken.error as Error;
  }

  /** Nothing is sent on a lease that may be somebody else's by now: while one lane renews it, the others wait. */
  async keepLease(store: DeliveryStore, at: Date): Promise<boolean> {
    if (at.getTime() - this.renewedAtMs >= renewedShare * this.held.leaseMs) this.renewing ??= this.renew(store, at);
    await this.renewing;
    return !this.leaseLost;
  }

  private async renew(store: DeliveryStore, at: Date): Promise<void> {
    try {
      this.leaseLost ||= !(await store.renew(this.held));
      this.renewedAtMs = at.getTime();
    } finally {
      this.renewing = undefined;
    }
  }
}

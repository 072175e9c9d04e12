import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';

/** A lease is meant to last so long at the pace of the one before: what of it stays unused is lost to the other processes for that second. */
const leaseMs = 25;

interface Lease {
  left: number;
  granted: number;
  atMs: number;
  /** The second that it was taken from ends here. */
  endsAtMs: number;
  renewal?: Promise<number> | undefined;
}

/**
 * Takes calls out of the budget that all processes share: not one by one but as many at once as `leaseMs` took lately, so that who calls often does
 * not cost a question each time. All processes together never give out more than the budget of a second; who calls seldom takes one by one.
 */
export class CallLeases {
  private readonly leases = new Map<string, Lease>();

  constructor(
    private readonly limiter: RateLimiterAbstract,
    private readonly nowMs = () => performance.now(),
  ) {}

  /** @returns 0, or for how many milliseconds there are no more calls */
  async take(participant: string): Promise<number> {
    const lease = this.leaseOf(participant);
    for (;;) {
      if (lease.left > 0 && this.nowMs() < lease.endsAtMs) {
        lease.left--;
        return 0;
      }
      // Many find it used up at once: one asks for all of them.
      const withoutMs = await (lease.renewal ??= this.renew(participant, lease).finally(() => (lease.renewal = undefined)));
      if (withoutMs > 0) return withoutMs;
    }
  }

  private leaseOf(participant: string): Lease {
    const lease = this.leases.get(participant) ?? { left: 0, granted: 0, atMs: 0, endsAtMs: 0 };
    this.leases.set(participant, lease);
    return lease;
  }

  private async renew(participant: string, lease: Lease): Promise<number> {
    const askedAtMs = this.nowMs();
    const used = lease.granted - lease.left;
    // In one moment any use is infinitely fast, but none is none: 0/0 would be asked for as NaN.
    const pace = used === 0 ? 0 : Math.floor((used * leaseMs) / (askedAtMs - lease.atMs));
    const wanted = Math.max(1, Math.min(pace, 2 * used, Math.ceil(this.limiter.points / 20)));
    const { granted, withoutMs } = await this.ask(participant, wanted);
    // Counted from before the question: our second never ends after the shared one.
    Object.assign(lease, { left: granted, granted, atMs: askedAtMs, endsAtMs: askedAtMs + withoutMs });
    return granted > 0 ? 0 : withoutMs;
  }

  private async ask(participant: string, wanted: number): Promise<{ granted: number; withoutMs: number }> {
    try {
      const { msBeforeNext } = await this.limiter.consume(participant, wanted);
      return { granted: wanted, withoutMs: Math.max(1, msBeforeNext) };
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      // Whoever passes the limit gets what was left below it; one that was refused from memory has asked for nothing.
      const { consumedPoints, msBeforeNext } = error;
      const granted = consumedPoints > 0 ? Math.max(0, this.limiter.points - (consumedPoints - wanted)) : 0;
      return { granted, withoutMs: Math.max(1, msBeforeNext) };
    }
  }
}

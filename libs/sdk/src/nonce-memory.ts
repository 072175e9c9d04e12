import { clockAheadSecondsMax, signatureAgeSecondsMax } from '#evidence';

/** Longer than a signature lives: what is forgotten is refused for its age. */
const lifeMs = 2 * (signatureAgeSecondsMax + clockAheadSecondsMax) * 1_000;

/** Nonces of messages that were verified, for as long as their signatures could be used again. An event itself is taken once by its ledger. */
export class NonceMemory {
  private readonly seen = new Map<string, number>();

  /** True for the first who claims it. */
  claim(nonce: string, at: Date): boolean {
    for (const [old, seenMs] of this.seen) {
      if (at.getTime() - seenMs < lifeMs) break;
      this.seen.delete(old);
    }
    if (this.seen.has(nonce)) return false;
    this.seen.set(nonce, at.getTime());
    return true;
  }
}

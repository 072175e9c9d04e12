import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { Refusal } from '#kernel';
import type { Database } from '#platform';

/** What one participant may have compared in a minute, over all gateways: two million ids spelled out, or fingerprints of as many bytes. */
const comparedKiBPerMinuteMax = 65_536;

const bytesPerKiB = 1_024;
const bytesPerId = 32;

/** Bounds the work that comparing costs. Counted in PostgreSQL, in memory while that cannot be reached: there are few such calls. */
export class SetBudget {
  private readonly limiter: RateLimiterPostgres;

  constructor(database: Database, points = comparedKiBPerMinuteMax) {
    const shared = { points, duration: 60, keyPrefix: 'sets' };
    const table = { tableName: 'rate_limits', tableCreated: true, clearExpiredByTimeout: false };
    this.limiter = new RateLimiterPostgres({
      ...shared,
      ...table,
      storeClient: database.pool,
      insuranceLimiter: new RateLimiterMemory(shared),
    });
  }

  /** Refuses 429 `record_set.too_much` with the seconds to wait. A piece of work that is larger than the budget of a minute takes all of it. */
  async spendBytes(participant: string, bytes: number): Promise<void> {
    try {
      await this.limiter.consume(participant, Math.min(this.limiter.points, Math.ceil(bytes / bytesPerKiB)));
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new Refusal('throttled', 'record_set.too_much', 'you have had much compared in this minute: wait and go on', {
        limit: `comparedKiBPerMinuteMax=${this.limiter.points}`,
        retryAfterSeconds: Math.max(1, Math.ceil(error.msBeforeNext / 1_000)),
      });
    }
  }

  /** For work that looks at this many ids. */
  async spendIds(participant: string, ids: number): Promise<void> {
    await this.spendBytes(participant, ids * bytesPerId);
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Refusal } from '#kernel';
import type { Config, Database } from '#platform';

/** Refusals of one participant that wait for the end of the second; more are told at once. */
const heldMax = 256;

/** How often a participant may call. Counted in Redis, or in PostgreSQL where there is none; in memory while that cannot be reached. */
export class CallBudget {
  private readonly held = new Map<string, number>();

  private constructor(
    private readonly limiter: RateLimiterAbstract,
    private readonly redis?: Redis,
  ) {}

  static create(config: Pick<Config, 'REDIS_URL'>, database: Database, points: number): CallBudget {
    const shared = { points, duration: 1, keyPrefix: 'calls', inMemoryBlockOnConsumed: points };
    const insuranceLimiter = new RateLimiterMemory(shared);
    if (config.REDIS_URL === undefined) {
      const table = { tableName: 'rate_limits', tableCreated: true, clearExpiredByTimeout: false };
      return new CallBudget(new RateLimiterPostgres({ ...shared, ...table, storeClient: database.pool, insuranceLimiter }));
    }
    // Never waits for a Redis that is away: the insurance counts meanwhile.
    const redis = new Redis(config.REDIS_URL, { enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: false });
    redis.on('error', () => undefined);
    return new CallBudget(new RateLimiterRedis({ ...shared, storeClient: redis, insuranceLimiter }), redis);
  }

  /** Refuses 429 `calls.too_many` with the seconds to wait, when the second that is used up is over: who calls again at once is slowed down by that alone. */
  async spend(participant: string): Promise<void> {
    try {
      await this.limiter.consume(participant);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      await this.holdBack(participant, error.msBeforeNext);
      throw new Refusal('throttled', 'calls.too_many', 'you call too often: wait and go on', {
        limit: `callsPerSecondMax=${this.limiter.points}`,
        retryAfterSeconds: Math.max(1, Math.ceil(error.msBeforeNext / 1000)),
      });
    }
  }

  /** A refusal costs nearly what a call costs: told at once, it would be followed by the next call, and others would pay for both. */
  private async holdBack(participant: string, ms: number): Promise<void> {
    const held = this.held.get(participant) ?? 0;
    if (held >= heldMax) return;
    this.held.set(participant, held + 1);
    await delay(ms, undefined, { ref: false });
    const left = this.held.get(participant)! - 1;
    if (left > 0) this.held.set(participant, left);
    else this.held.delete(participant);
  }

  close(): void {
    this.redis?.disconnect();
  }
}

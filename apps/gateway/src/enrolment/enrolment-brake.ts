import { Redis } from 'ioredis';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Refusal } from '#kernel';
import { type Config, type Database, networkOf } from '#platform';

/** Calls from one address (IPv6: one /64) per minute, and wrong invitations from it per quarter of an hour. */
const enrolmentCallsPerMinuteMax = 120;
const wrongInvitationsMax = 10;
const WRONG_WINDOW_SECONDS = 900;

/** Slows down whoever calls too often or guesses. Counted where call budgets are: Redis, PostgreSQL, or memory while either is away. */
export class EnrolmentBrake {
  private constructor(
    private readonly calls: RateLimiterAbstract,
    private readonly failures: RateLimiterAbstract,
    private readonly redis?: Redis,
  ) {}

  static create(config: Pick<Config, 'REDIS_URL'>, database: Database): EnrolmentBrake {
    const calls = { keyPrefix: 'enrol', points: enrolmentCallsPerMinuteMax, duration: 60 };
    const failures = { keyPrefix: 'enrol-wrong', points: wrongInvitationsMax, duration: WRONG_WINDOW_SECONDS };
    if (config.REDIS_URL === undefined) {
      const make = (limit: typeof calls) =>
        new RateLimiterPostgres({
          ...limit,
          tableName: 'rate_limits',
          tableCreated: true,
          clearExpiredByTimeout: false,
          storeClient: database.pool,
          insuranceLimiter: new RateLimiterMemory(limit),
        });
      return new EnrolmentBrake(make(calls), make(failures));
    }
    const redis = new Redis(config.REDIS_URL, { enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: false });
    redis.on('error', () => undefined);
    const make = (limit: typeof calls) =>
      new RateLimiterRedis({ ...limit, storeClient: redis, insuranceLimiter: new RateLimiterMemory(limit) });
    return new EnrolmentBrake(make(calls), make(failures), redis);
  }

  /** Refuses 429 `enrolment.too_many`, also to whoever sent too many wrong invitations. */
  async arrive(address: string | undefined): Promise<void> {
    const key = networkOf(address);
    const wrong = await this.failures.get(key);
    if (wrong && wrong.consumedPoints >= wrongInvitationsMax) throw tooMany(wrong.msBeforeNext);
    await this.calls.consume(key).catch((error: unknown) => {
      throw error instanceof RateLimiterRes ? tooMany(error.msBeforeNext) : error;
    });
  }

  /** Counts a wrong invitation. */
  async fail(address: string | undefined): Promise<void> {
    await this.failures.consume(networkOf(address)).catch(() => undefined);
  }

  close(): void {
    this.redis?.disconnect();
  }
}

function tooMany(ms: number): Refusal {
  const retryAfterSeconds = Math.max(1, Math.ceil(ms / 1000));
  return new Refusal('throttled', 'enrolment.too_many', 'too many calls from your address: wait and try again', { retryAfterSeconds });
}

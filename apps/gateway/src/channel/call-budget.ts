import { Redis } from 'ioredis';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis } from 'rate-limiter-flexible';
import type { Logger } from 'pino';
import { Refusal } from '#kernel';
import type { Config, Database } from '#platform';
import { CallLane } from './call-lane.js';
import { CallLeases } from './call-leases.js';

export const callsTooMany = 'calls.too_many';

/** Until the second is over, and then as long again for the calls before it. */
const waitMsMax = 2_000;
/** As many as a participant may have connections: one that sends its next call only when the last was answered never finds it full. */
const waitingMax = 128;
const calmMs = 5_000;

/**
 * How often a participant may call. Counted in Redis, or in PostgreSQL where there is none; in memory while that cannot be reached.
 * Within its quota a call is never delayed, but for the few that another process has leased. Who is beyond it calls through a lane of its own, at the pace of its quota.
 */
export class CallBudget {
  private readonly lanes = new Map<string, CallLane>();
  private readonly leases: CallLeases;

  private constructor(
    private readonly limiter: RateLimiterAbstract,
    private readonly logger: Logger,
    private readonly redis?: Redis,
  ) {
    this.leases = new CallLeases(limiter);
  }

  static create(config: Pick<Config, 'REDIS_URL'>, database: Database, points: number, logger: Logger): CallBudget {
    const shared = { points, duration: 1, keyPrefix: 'calls', inMemoryBlockOnConsumed: points };
    const insuranceLimiter = new RateLimiterMemory(shared);
    if (config.REDIS_URL === undefined) {
      const table = { tableName: 'rate_limits', tableCreated: true, clearExpiredByTimeout: false };
      return new CallBudget(new RateLimiterPostgres({ ...shared, ...table, storeClient: database.pool, insuranceLimiter }), logger);
    }
    // Never waits for a Redis that is away: the insurance counts meanwhile.
    const redis = new Redis(config.REDIS_URL, { enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: false });
    redis.on('error', () => undefined);
    return new CallBudget(new RateLimiterRedis({ ...shared, storeClient: redis, insuranceLimiter }), logger, redis);
  }

  /** Refuses 429 `calls.too_many` with the seconds to wait, where there was no turn within two seconds. `isGone`: the caller has hung up. */
  async spend(participant: string, isGone: () => boolean): Promise<void> {
    let lane = this.lanes.get(participant);
    if (!lane) {
      const withoutMs = await this.leases.take(participant);
      if (withoutMs === 0) return;
      lane = this.lanes.get(participant) ?? this.openLane(participant, withoutMs);
    }
    if (await lane.enter(isGone)) return;
    throw new Refusal('throttled', callsTooMany, 'you call too often: wait and go on', {
      limit: `callsPerSecondMax=${this.limiter.points}`,
      retryAfterSeconds: 1,
    });
  }

  close(): void {
    this.redis?.disconnect();
  }

  /** One line when a flood begins and one when it is over: a line for each refusal would be a flood, too. */
  private openLane(participant: string, firstMs: number): CallLane {
    const pace = { intervalMs: 1_000 / this.limiter.points, waitingMax, waitMsMax, calmMs };
    const lane = new CallLane(pace, () => this.leases.take(participant));
    this.lanes.set(participant, lane);
    this.logger.warn({ participant, callsPerSecondMax: this.limiter.points }, 'calls beyond the quota: let through one by one');
    void lane.run(firstMs, () => {
      this.lanes.delete(participant);
      this.logger.warn({ participant, refused: lane.refusedCalls }, 'calls within the quota again');
    });
    return lane;
  }
}

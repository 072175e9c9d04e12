import type { Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { QueueName } from '../queues.js';

const ANSWER_TIMEOUT_MS = 1_000;
/** No schedule of ours has longer to its next run, not even as a clock a little behind sees it. */
const aheadMsMax = 60_000;

/** A job that was done or failed is forgotten: what became of the work stands in PostgreSQL. */
const FORGET = { removeOnComplete: true, removeOnFail: true } as const;

/**
 * Puts ids into queues. It never fails and never waits long: the work already stands in PostgreSQL, and the sweep sends again what a
 * lost, emptied or unreachable queue forgot.
 */
export class JobSender {
  constructor(
    private readonly queues: ReadonlyMap<QueueName, Queue>,
    private readonly logger: Logger,
  ) {
    for (const [name, queue] of queues)
      queue.on('error', (error) => this.logger.warn({ queue: name, error: error.message }, 'queue trouble'));
  }

  /** `attempt` makes a new job of an id that was sent before: a queue takes each id and attempt once while it knows it. */
  async send(queue: QueueName, id: string, attempt: number): Promise<boolean> {
    const added = this.queue(queue).add(queue, { id }, { jobId: `${id}-${attempt}`, ...FORGET });
    return await this.answered(queue, added);
  }

  /**
   * Repeats a job without an id every `everyMs`, `offsetMs` (1 to `everyMs`) after each multiple of it. Idempotent; also puts back a schedule
   * that an emptied queue lost, that stands still or that had another offset.
   */
  async repeat(queue: QueueName, everyMs: number, offsetMs: number): Promise<boolean> {
    return await this.answered(queue, this.ensureSchedule(this.queue(queue), everyMs, offsetMs));
  }

  /** Whether the queues answer now. */
  async isReachable(): Promise<boolean> {
    return await this.answered('sweep', this.queue('sweep').isPaused());
  }

  /** Nest calls it before it closes the queues: a polite goodbye to a Redis that is gone would wait for its return. */
  async onModuleDestroy(): Promise<void> {
    if (await this.isReachable()) return;
    // Through the backend: a queue's own close() has no force, and its disconnect() waits for an event that never comes.
    await Promise.all([...this.queues.values()].map((queue) => queue.backend.close(true)));
  }

  private async ensureSchedule(queue: Queue, everyMs: number, offsetMs: number): Promise<void> {
    const known = await queue.getJobScheduler(queue.name);
    const aheadMs = (known?.next ?? 0) - Date.now();
    const isMoved = known !== undefined && known.offset !== offsetMs;
    if (!isMoved && known?.every === everyMs && aheadMs > -5 * everyMs && aheadMs < aheadMsMax) return;
    // What was planned before the clock was set back, or for another moment, would go on from there: it has to begin anew.
    if (isMoved || aheadMs >= aheadMsMax) await queue.removeJobScheduler(queue.name);
    await queue.upsertJobScheduler(queue.name, { every: everyMs, offset: offsetMs }, { name: queue.name, opts: FORGET });
  }

  private queue(name: QueueName): Queue {
    return this.queues.get(name)!;
  }

  private async answered(queue: QueueName, asked: Promise<unknown>): Promise<boolean> {
    const timeout = new AbortController();
    try {
      const late = new Promise<false>((resolve) => {
        const timer = setTimeout(() => resolve(false), ANSWER_TIMEOUT_MS);
        timeout.signal.addEventListener('abort', () => clearTimeout(timer));
      });
      return await Promise.race([asked.then(() => true), late]);
    } catch (error) {
      this.logger.warn({ queue, error: (error as Error).message }, 'the queue did not answer; the sweep will ask again');
      return false;
    } finally {
      timeout.abort();
      // A queue that answers after we stopped waiting may still fail: nobody is left to hear it.
      asked.catch(() => undefined);
    }
  }
}

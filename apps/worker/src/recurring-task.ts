import type { Logger } from 'pino';
import type { QueueName } from '#platform/adapters/queues.module';
import type { Beats } from './beats.js';

/** Work that has no id: it looks into PostgreSQL for what is to be done. */
export interface RecurringTask {
  /** Also the name of its queue and its beat. */
  readonly name: QueueName;
  readonly everyMs: number;
  /** So long after each multiple of `everyMs`: tasks take turns. All at once they held up calls at the doors for 20 to 60 ms (2026-11-23, two cores). */
  readonly offsetMs: number;
  run(): Promise<void>;
}

/** The tasks of this process, each run by whichever clock wakes it, never twice in one period. */
export class RecurringTasks {
  constructor(
    readonly all: readonly RecurringTask[],
    private readonly beats: Beats,
    private readonly logger: Logger,
  ) {}

  /** Runs the task if its last beat is `ageMsMin` old. A failure is logged: the next beat tries again. */
  async runIfDue(name: QueueName, ageMsMin: number): Promise<boolean> {
    const task = this.all.find((one) => one.name === name);
    if (!task) return false;
    try {
      if (!(await this.beats.take(name, ageMsMin))) return false;
      await task.run();
      return true;
    } catch (error) {
      this.logger.error({ task: name, error: (error as Error).message }, 'a recurring task failed');
      return false;
    }
  }
}

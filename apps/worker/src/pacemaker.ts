import type { JobSender } from '#platform/adapters/queues.module';
import type { RecurringTasks } from './recurring-task.js';

const TICK_MS = 1_000;
const SCHEDULE_EVERY_TICKS = 5;
/** A task that missed this many of its beats no longer gets them from its queue. */
const MISSED_BEATS = 3;

/**
 * The clock inside the process, for when the queues' clock stops. Sealing is a promise to partners (a receipt says: in the log within ten
 * seconds) and must not hang on Redis, so every second this asks PostgreSQL when each task last ran and runs what is overdue. It also
 * puts schedules back that an emptied Redis lost. With healthy queues it finds nothing to do.
 */
export class Pacemaker {
  private timer: NodeJS.Timeout | undefined;
  private ticks = 0;
  private current: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly tasks: RecurringTasks,
    private readonly jobs: JobSender,
  ) {}

  async start(): Promise<void> {
    await this.restoreSchedules();
    this.plan();
  }

  /** Resolves when the tick in progress has ended; none follows. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.current;
  }

  private plan(): void {
    this.timer = setTimeout(() => {
      this.current = this.tick().finally(() => {
        if (this.timer !== undefined) this.plan();
      });
    }, TICK_MS);
  }

  private async tick(): Promise<void> {
    await Promise.all(this.tasks.all.map(({ name, everyMs }) => this.tasks.runIfDue(name, MISSED_BEATS * everyMs)));
    if (++this.ticks % SCHEDULE_EVERY_TICKS === 0) await this.restoreSchedules();
  }

  private async restoreSchedules(): Promise<void> {
    await Promise.all(this.tasks.all.map(({ name, everyMs, offsetMs }) => this.jobs.repeat(name, everyMs, offsetMs)));
  }
}

import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '#platform/adapters/platform.module';
import type { QueueName } from '#platform/adapters/queues.module';
import { RecurringTasks } from './recurring-task.js';

/** A beat may come a little early; two in one period are one. */
const EARLIEST = 0.5;

/** The queue's clock for one recurring task. */
abstract class RecurringProcessor extends WorkerHost {
  protected abstract readonly task: QueueName;

  constructor(
    @Inject(RecurringTasks) private readonly tasks: RecurringTasks,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super();
  }

  override async process(): Promise<void> {
    const everyMs = this.tasks.all.find(({ name }) => name === this.task)?.everyMs ?? 0;
    await this.tasks.runIfDue(this.task, everyMs * EARLIEST);
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ queue: this.task, error: error.message }, 'queue trouble');
  }
}

@Processor('seal')
export class SealProcessor extends RecurringProcessor {
  protected override readonly task = 'seal';
}

@Processor('sweep')
export class SweepProcessor extends RecurringProcessor {
  protected override readonly task = 'sweep';
}

@Processor('shadow')
export class ShadowProcessor extends RecurringProcessor {
  protected override readonly task = 'shadow';
}

@Processor('dispatch')
export class DispatchProcessor extends RecurringProcessor {
  protected override readonly task = 'dispatch';
}

import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { LOGGER } from '#platform/adapters/platform.module';
import type { JobSender, QueueName } from '#platform/adapters/queues.module';
import { DeliverEvents, type WebhookBook } from '#standing';
import type { JobData } from './job.js';

/** Partners served side by side; each waits for the network most of the time. */
const partnersAtOnceMax = 100;
/** Endpoints in trouble, and such that have yet to confirm, have places of their own: however many hang, nobody else waits for them. */
const probesAtOnceMax = 50;

/** Pushes what waits for one participant. The job carries its id; everything else, and who may work on it, stands in PostgreSQL. */
abstract class DeliveryProcessor extends WorkerHost {
  protected abstract readonly queue: QueueName;

  constructor(
    @Inject(DeliverEvents) private readonly events: DeliverEvents,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super();
  }

  override async process(job: Job<JobData>): Promise<string> {
    return await this.events.run(job.data.id);
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<JobData> | undefined, error: Error): void {
    this.logger.error({ participant: job?.data.id, error: error.message }, 'delivery failed; it is tried again while events wait');
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ queue: this.queue, error: error.message }, 'queue trouble');
  }
}

@Processor('deliver', { concurrency: partnersAtOnceMax })
export class DeliverProcessor extends DeliveryProcessor {
  protected override readonly queue = 'deliver';
}

@Processor('probe', { concurrency: probesAtOnceMax })
export class ProbeProcessor extends DeliveryProcessor {
  protected override readonly queue = 'probe';
}

/** Asks PostgreSQL to whom something may be sent and has it done. What a queue forgets is asked for again the next time. */
export async function dispatchEvents(book: Pick<WebhookBook, 'due'>, jobs: JobSender, at: Date): Promise<void> {
  const due = await book.due(at);
  await Promise.all(due.map(({ participant, epoch, probe }) => jobs.send(probe ? 'probe' : 'deliver', participant, Number(epoch))));
}

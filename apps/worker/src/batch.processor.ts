import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { parseId } from '#kernel';
import { LOGGER } from '#platform/adapters/platform.module';
import { LINES_LOST, RunBatch } from '#records';
import { type JobData, reporter } from './job.js';

/** Works a batch of records off. A second run goes on where the first one ended. */
@Processor('batch')
export class BatchProcessor extends WorkerHost {
  constructor(
    @Inject(RunBatch) private readonly batches: RunBatch,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super();
  }

  override async process(job: Job<JobData>): Promise<string> {
    const end = await this.batches.run(parseId('bat', job.data.id), reporter(job));
    if (end === 'failed')
      this.logger.error({ batch: job.data.id, code: LINES_LOST.code }, 'a batch ended without its lines; its bank sends them again');
    return end;
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<JobData> | undefined, error: Error): void {
    this.logger.error({ batch: job?.data.id, error: error.message }, 'batch job failed; it is tried again while it is outstanding');
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ queue: 'batch', error: error.message }, 'queue trouble');
  }
}

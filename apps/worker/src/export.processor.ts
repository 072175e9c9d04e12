import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { ExportRunner } from '#audit';
import { LOGGER } from '#platform/adapters/platform.module';
import { type JobData, reporter } from './job.js';

/** Writes one export bundle. A second run of the same export writes the same bytes, so a repeated job does no harm. */
@Processor('export')
export class ExportProcessor extends WorkerHost {
  constructor(
    @Inject(ExportRunner) private readonly exports: ExportRunner,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super();
  }

  override async process(job: Job<JobData>): Promise<string> {
    const report = reporter(job);
    return await this.exports.run(job.data.id, (done, total) => report({ done: done.toString(), total: total.toString() }));
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<JobData> | undefined, error: Error): void {
    this.logger.error({ export: job?.data.id, error: error.message }, 'export job failed; it is tried again while it is outstanding');
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ queue: 'export', error: error.message }, 'queue trouble');
  }
}

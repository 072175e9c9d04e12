import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { parseId } from '#kernel';
import { LOGGER } from '#platform/adapters/platform.module';
import { ReconcileStatement } from '#reconciliation';
import { type JobData, reporter } from './job.js';

/** Reconciles one statement file. The job carries its id; everything else, and who may work on it, stands in PostgreSQL. */
@Processor('reconcile', { concurrency: 2 })
export class ReconcileProcessor extends WorkerHost {
  constructor(
    @Inject(ReconcileStatement) private readonly reconcile: ReconcileStatement,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super();
  }

  override async process(job: Job<JobData>): Promise<string> {
    const result = await this.reconcile.run(parseId('rec', job.data.id), reporter(job));
    this.logger.info({ reconciliation: job.data.id, result }, 'reconciliation job ended');
    return result;
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<JobData> | undefined, error: Error): void {
    this.logger.error({ reconciliation: job?.data.id, error: error.message }, 'reconciliation job failed; it will be tried again');
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ queue: 'reconcile', error: error.message }, 'queue trouble');
  }
}

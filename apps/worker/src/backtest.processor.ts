import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { BacktestRunner } from '#decisions';
import { parseId } from '#kernel';
import { LOGGER } from '#platform/adapters/platform.module';
import { type JobData, reporter } from './job.js';

/** Runs one back-test. The job carries its id; how far it is, and who may work on it, stands in PostgreSQL. */
@Processor('backtest')
export class BacktestProcessor extends WorkerHost {
  constructor(
    @Inject(BacktestRunner) private readonly backtests: BacktestRunner,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super();
  }

  override async process(job: Job<JobData>): Promise<string> {
    const report = reporter(job);
    const onProgress = (done: bigint, total: bigint) => report({ done: done.toString(), total: total.toString() });
    const end = await this.backtests.run(parseId('bkt', job.data.id).uuid, onProgress);
    this.logger.info({ backtest: job.data.id, end }, 'back-test job ended');
    return end;
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<JobData> | undefined, error: Error): void {
    this.logger.error({ backtest: job?.data.id, error: error.message }, 'back-test job failed; it is taken up again where it was');
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ queue: 'backtest', error: error.message }, 'queue trouble');
  }
}

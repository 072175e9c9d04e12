import type { Job } from 'bullmq';

/** All that a job carries: the external id of what is to be done. */
export interface JobData {
  readonly id: string;
}

const REPORT_EVERY_MS = 500;

/** Tells the queue how far a job is, at most twice a second. The queue may be gone: progress in PostgreSQL is what counts. */
export function reporter(job: Job<JobData>): (progress: object) => Promise<void> {
  let lastMs = 0;
  return async (progress) => {
    if (Date.now() - lastMs < REPORT_EVERY_MS) return;
    lastMs = Date.now();
    job.updateProgress(progress).catch(() => undefined);
  };
}

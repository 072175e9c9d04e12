import type { Logger } from 'pino';
import type { Sealer } from '#audit';
import type { TrustedKeys } from '#audit/adapters/trusted-keys';
import type { ShadowFollower } from '#decisions';
import type { Clock } from '#kernel';
import type { JobSender } from '#platform/adapters/queues.module';
import type { WebhookBook } from '#standing';
import { dispatchEvents } from './deliver.processors.js';
import type { RecurringTask } from './recurring-task.js';
import { sweep, type SweepStep } from './sweep.js';

/** A receipt promises that its record is in the log within ten seconds (`inclusionPromiseSeconds`). */
const sealEveryMs = 1_000;
/** A policy that is set for a time is in force within a second of it. */
const sweepEveryMs = 1_000;
/** A decision is compared with the versions in shadow within a second or two. */
const shadowEveryMs = 1_000;
/** An event is on its way to a webhook within half a second. */
const dispatchEveryMs = 500;

/** Facts into the log; then the file of keys that the log is verified with. */
export function sealTask(sealer: Sealer, keys: TrustedKeys): RecurringTask {
  return {
    name: 'seal',
    everyMs: sealEveryMs,
    offsetMs: 100,
    run: async () => {
      await sealer.sealOnce();
      await keys.keep();
    },
  };
}

export function shadowTask(shadows: ShadowFollower): RecurringTask {
  return { name: 'shadow', everyMs: shadowEveryMs, offsetMs: 850, run: async () => void (await shadows.run()) };
}

/** All steps, group by group. */
export function sweepTask(logger: Logger, ...groups: readonly (readonly SweepStep[])[]): RecurringTask {
  return { name: 'sweep', everyMs: sweepEveryMs, offsetMs: 500, run: () => sweep(groups.flat(), logger) };
}

export function dispatchTask(book: WebhookBook, jobs: JobSender, clock: Clock): RecurringTask {
  return { name: 'dispatch', everyMs: dispatchEveryMs, offsetMs: 300, run: () => dispatchEvents(book, jobs, clock.now()) };
}

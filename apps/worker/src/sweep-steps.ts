import type { Exports } from '#audit';
import { FsLogFiles } from '#audit/adapters/fs-log-files';
import { ExpirySweep } from '#decisions/adapters/expiry-sweep';
import { PgBacktests } from '#decisions/adapters/pg-backtests';
import { type Clock, formatId, shardOf } from '#kernel';
import { PgNonceBook } from '#partners/adapters/pg-nonce-book';
import { type Config, type Database, forgetCounts } from '#platform';
import type { JobSender, QueueName } from '#platform/adapters/queues.module';
import { policyLife } from '#policies/adapters/pg-policies';
import type { ReconciliationStore } from '#reconciliation';
import type { BatchStore } from '#records';
import type { FsBatchFiles } from '#records/adapters/fs-batch-files';
import { PgStaffStore } from '#staff/adapters/pg-staff-store';
import type { Disputes, Restrictions, ReviewDue, Webhooks } from '#standing';
import { consentExpiry } from '#standing/adapters/consents.module';
import { disclosureErasure } from '#standing/adapters/disclosure.module';
import { PgDisputeReader } from '#standing/adapters/pg-dispute-reader';
import { PgRestrictionReader } from '#standing/adapters/pg-restriction-reader';
import { hourly, type SweepStep } from './sweep.js';

const resentPerSweepMax = 200;

/** What a time that has come changes by itself. */
export function dueSteps(database: Database, config: Config, clock: Clock): SweepStep[] {
  const [policies, nonces, expiry] = [policyLife(database), new PgNonceBook(database), new ExpirySweep(database)];
  const [consents, erasure, staff] = [consentExpiry(database), disclosureErasure(database, config), new PgStaffStore(database)];
  return [
    { name: 'nonces that nobody could use again', run: () => nonces.sweep() },
    hourly({ name: 'counts of calls whose time is over', run: () => forgetCounts(database) }),
    hourly({ name: 'sessions of staff of long ago', run: () => staff.forgetSessions(clock.now()) }),
    { name: 'policies that are due', run: () => policies.activateDue(clock.now()) },
    { name: 'expired holds', run: () => expiry.runNext() },
    { name: 'expired consents', run: () => consents.run() },
    { name: 'what was told and may no longer be held', run: () => erasure.run() },
  ];
}

/** What time does to standings, and to what people and banks were promised about them. */
export function standingSteps(
  database: Database,
  reviewDue: ReviewDue,
  restrictions: Restrictions,
  webhooks: Webhooks,
  disputes: Disputes,
): SweepStep[] {
  const [restrictionReader, disputeReader] = [new PgRestrictionReader(database), new PgDisputeReader(database)];
  return [
    { name: 'standings that time changed', run: () => reviewDue.run() },
    { name: 'events that nobody took for three days', run: () => webhooks.giveUp() },
    { name: 'clocks of disputes', run: () => disputes.ring(disputeReader) },
    { name: 'appeals to be answered soon', run: async () => (await restrictions.remind(restrictionReader)).length },
  ];
}

/** Work that stands in PostgreSQL and that nobody is at: a queue may have forgotten it, or its worker died. */
export function outstandingSteps(
  database: Database,
  jobs: JobSender,
  reconciliations: ReconciliationStore,
  batches: BatchStore,
  exports: Exports,
): SweepStep[] {
  const backtests = new PgBacktests(database);
  const resend = (name: string, queue: QueueName, find: () => Promise<readonly Outstanding[]>): SweepStep => ({
    name,
    run: async () => {
      const found = await find();
      for (const { job, attempt } of found) await jobs.send(queue, job, attempt);
      return found.length;
    },
  });
  return [
    resend('outstanding reconciliations', 'reconcile', async () =>
      (await reconciliations.outstanding(resentPerSweepMax)).map(({ id, epoch }) => ({ job: formatId('rec', id), attempt: epoch })),
    ),
    resend('outstanding record batches', 'batch', async () =>
      (await batches.outstanding(resentPerSweepMax)).map(({ id, epoch }) => ({ job: formatId('bat', id), attempt: epoch })),
    ),
    resend('outstanding exports', 'export', async () =>
      (await exports.outstanding()).slice(0, resentPerSweepMax).map((id) => ({ job: id, attempt: 0 })),
    ),
    resend('outstanding back-tests', 'backtest', async () =>
      (await backtests.outstanding(resentPerSweepMax)).map(({ id, epoch }) => ({
        job: formatId('bkt', { shard: shardOf(id), uuid: id }),
        attempt: epoch,
      })),
    ),
  ];
}

/** A job to be sent again: the external id that it carries, and how often it was leased before. */
interface Outstanding {
  readonly job: string;
  readonly attempt: number;
}

/** Files that nobody will finish, because the process that wrote them was killed. */
export function leftoverSteps(files: FsBatchFiles, batches: BatchStore, config: Config, clock: Clock): SweepStep[] {
  const log = new FsLogFiles(config.TALLYSTICK_HOME);
  const uploads = () => files.sweep(clock.now(), async (id) => (await batches.find(id))?.state);
  return [
    hourly({ name: 'what killed uploads left behind', run: uploads }),
    hourly({ name: 'drafts of the log that killed writes left behind', run: () => log.sweepDrafts(clock.now()) }),
  ];
}

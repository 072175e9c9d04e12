import type { WorkerHost } from '@nestjs/bullmq';
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { Exports, Sealer } from '#audit';
import { SealingModule } from '#audit/adapters/audit.module';
import { TrustedKeys } from '#audit/adapters/trusted-keys';
import { BacktestRunner, ShadowFollower } from '#decisions';
import { backtestRunner, shadowFollower } from '#decisions/adapters/backtests';
import { watchShadows } from '#decisions/adapters/shadow-metrics';
import { ExpirySweep } from '#decisions/adapters/expiry-sweep';
import { PgBacktests } from '#decisions/adapters/pg-backtests';
import { type Clock, formatId, shardOf } from '#kernel';
import { type Config, Database } from '#platform';
import { HealthController, READINESS, type ReadinessCheck } from '#platform/adapters/health.controller';
import { CLOCK, CONFIG, LOGGER, PlatformModule } from '#platform/adapters/platform.module';
import { JobSender, QueuesModule } from '#platform/adapters/queues.module';
import { TimeKeeper } from '#partners';
import { PartnersModule } from '#partners/adapters/partners.module';
import { PrismaEnrolmentStore } from '#partners/adapters/prisma-enrolment-store';
import { PgNonceBook } from '#partners/adapters/pg-nonce-book';
import type { BatchStore } from '#records';
import { FsBatchFiles } from '#records/adapters/fs-batch-files';
import { PgBatchStore } from '#records/adapters/pg-batch-store';
import type { ReconciliationStore } from '#reconciliation';
import { RECONCILIATION_STORE, ReconciliationModule } from '#reconciliation/adapters/reconciliation.module';
import { policyLife } from '#policies/adapters/pg-policies';
import { Disputes, Restrictions, ReviewDue, type WebhookBook, Webhooks } from '#standing';
import { consentExpiry } from '#standing/adapters/consents.module';
import { disclosureErasure } from '#standing/adapters/disclosure.module';
import { PgDisputeReader } from '#standing/adapters/pg-dispute-reader';
import { PgRestrictionReader } from '#standing/adapters/pg-restriction-reader';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { StandingModule } from '#standing/adapters/standing.module';
import { BatchWorkModule } from '#standing/adapters/record-batches.module';
import { PgWebhookBook } from '#standing/adapters/pg-webhook-book';
import { WebhookDeliveryModule, WebhooksModule } from '#standing/adapters/webhook-delivery.module';
import { BacktestProcessor } from './backtest.processor.js';
import { BatchProcessor } from './batch.processor.js';
import { Beats } from './beats.js';
import { DeliverProcessor, dispatchEvents, ProbeProcessor } from './deliver.processors.js';
import { ExportProcessor } from './export.processor.js';
import { partnerSteps } from './partner-steps.js';
import { Pacemaker } from './pacemaker.js';
import { ReconcileProcessor } from './reconcile.processor.js';
import { type RecurringTask, RecurringTasks } from './recurring-task.js';
import { DispatchProcessor, SealProcessor, ShadowProcessor, SweepProcessor } from './recurring.processors.js';
import { hourly, sweep, type SweepStep } from './sweep.js';

const sealEveryMs = 1_000;
/** A policy that is set for a time is in force within a second of it. */
const sweepEveryMs = 1_000;
/** A decision is compared with the versions in shadow within a second or two. */
const shadowEveryMs = 1_000;
/** An event is on its way to a webhook within half a second. */
const dispatchEveryMs = 500;
const resentPerSweepMax = 200;

const PROCESSOR_CLASSES = [
  SealProcessor,
  SweepProcessor,
  ShadowProcessor,
  ReconcileProcessor,
  ExportProcessor,
  BatchProcessor,
  BacktestProcessor,
  DispatchProcessor,
  DeliverProcessor,
  ProbeProcessor,
];
const PROCESSORS = Symbol('PROCESSORS');
const UPLOADS = Symbol('UPLOADS');
const SWEEP_STEPS = Symbol('SWEEP_STEPS');
const PARTNER_STEPS = Symbol('PARTNER_STEPS');
const DISPATCH = Symbol('DISPATCH');

/** The clock and the queues. */
@Module({})
export class WorkerModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(Pacemaker) private readonly pacemaker: Pacemaker,
    @Inject(JobSender) private readonly jobs: JobSender,
    @Inject(PROCESSORS) private readonly processors: readonly WorkerHost[],
  ) {}

  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        PlatformModule.forRoot(config, logger),
        QueuesModule.register(),
        ReconciliationModule.register(),
        SealingModule,
        StandingModule,
        PartnersModule.register(tellParticipants),
        BatchWorkModule,
        WebhooksModule,
        WebhookDeliveryModule,
      ],
      controllers: [HealthController],
      providers: [
        ...PROCESSOR_CLASSES,
        { provide: PROCESSORS, inject: PROCESSOR_CLASSES, useFactory: (...all: WorkerHost[]) => all },
        {
          provide: SWEEP_STEPS,
          inject: [UPLOADS, Database, ReviewDue, JobSender, RECONCILIATION_STORE, Exports, PgBatchStore, Restrictions, Webhooks, Disputes],
          useFactory: (...all: Parameters<typeof sweepSteps>) => [...sweepSteps(...all), erasureStep(all[1], config)],
        },
        { provide: UPLOADS, inject: [FsBatchFiles, PgBatchStore, CLOCK], useFactory: uploadStep },
        { provide: BacktestRunner, inject: [Database], useFactory: (database: Database) => backtestRunner(database) },
        { provide: ShadowFollower, inject: [Database], useFactory: watchedShadows },
        { provide: PARTNER_STEPS, inject: [CONFIG, TimeKeeper, PrismaEnrolmentStore, CLOCK], useFactory: partnerSteps },
        {
          provide: RecurringTasks,
          inject: [Database, Sealer, TrustedKeys, ShadowFollower, SWEEP_STEPS, PARTNER_STEPS, DISPATCH, LOGGER],
          useFactory: (
            database: Database,
            sealer: Sealer,
            keys: TrustedKeys,
            shadows: ShadowFollower,
            steps: SweepStep[],
            ofPartners: SweepStep[],
            dispatch: RecurringTask,
            log: Logger,
          ) => recurringTasks(database, sealTask(sealer, keys), shadows, [sweepTask([...ofPartners, ...steps], log), dispatch], log),
        },
        {
          provide: DISPATCH,
          inject: [PgWebhookBook, JobSender, CLOCK],
          useFactory: (book: WebhookBook, jobs: JobSender, clock: Clock): RecurringTask => ({
            name: 'dispatch',
            everyMs: dispatchEveryMs,
            run: () => dispatchEvents(book, jobs, clock.now()),
          }),
        },
        {
          provide: Pacemaker,
          inject: [RecurringTasks, JobSender],
          useFactory: (tasks: RecurringTasks, jobs: JobSender) => new Pacemaker(tasks, jobs),
        },
        { provide: READINESS, inject: [Database, Sealer], useFactory: readiness },
      ],
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.pacemaker.start();
  }

  /**
   * Before anything is closed: the tick in progress may still need the database. Without a queue to say goodbye to, jobs are dropped:
   * they stand in PostgreSQL, and their leases run out.
   */
  async onModuleDestroy(): Promise<void> {
    await this.pacemaker.stop();
    if (!(await this.jobs.isReachable())) await Promise.all(this.processors.map(({ worker }) => worker.close(true)));
  }
}

function sweepSteps(
  uploads: SweepStep,
  database: Database,
  reviewDue: ReviewDue,
  jobs: JobSender,
  reconciliations: ReconciliationStore,
  exports: Exports,
  batches: BatchStore,
  restrictions: Restrictions,
  webhooks: Webhooks,
  disputes: Disputes,
): SweepStep[] {
  const policies = policyLife(database);
  const [expiry, consents] = [new ExpirySweep(database), consentExpiry(database)];
  const nonces = new PgNonceBook(database);
  const [disputeReader, backtests] = [new PgDisputeReader(database), new PgBacktests(database)];
  return [
    uploads,
    { name: 'nonces that nobody could use again', run: () => nonces.sweep() },
    { name: 'policies that are due', run: () => policies.activateDue(new Date()) },
    { name: 'expired holds', run: () => expiry.run() },
    { name: 'expired consents', run: () => consents.run() },
    { name: 'standings that time changed', run: () => reviewDue.run() },
    { name: 'events that nobody took for three days', run: () => webhooks.giveUp() },
    { name: 'clocks of disputes', run: () => disputes.ring(disputeReader) },
    { name: 'appeals to be answered soon', run: async () => (await restrictions.remind(new PgRestrictionReader(database))).length },
    {
      name: 'outstanding reconciliations',
      run: async () => {
        const outstanding = await reconciliations.outstanding(resentPerSweepMax);
        for (const { id, epoch } of outstanding) await jobs.send('reconcile', formatId('rec', id), epoch);
        return outstanding.length;
      },
    },
    {
      name: 'outstanding record batches',
      run: async () => {
        const outstanding = await batches.outstanding(resentPerSweepMax);
        for (const { id, epoch } of outstanding) await jobs.send('batch', formatId('bat', id), epoch);
        return outstanding.length;
      },
    },
    {
      name: 'outstanding exports',
      run: async () => {
        const outstanding = (await exports.outstanding()).slice(0, resentPerSweepMax);
        for (const id of outstanding) await jobs.send('export', id, 0);
        return outstanding.length;
      },
    },
    {
      name: 'outstanding back-tests',
      run: async () => {
        const outstanding = await backtests.outstanding(resentPerSweepMax);
        for (const { id, epoch } of outstanding) await jobs.send('backtest', formatId('bkt', { shard: shardOf(id), uuid: id }), epoch);
        return outstanding.length;
      },
    },
  ];
}

function erasureStep(database: Database, config: Config): SweepStep {
  return { name: 'what was told and may no longer be held', run: () => disclosureErasure(database, config).run() };
}

function uploadStep(files: FsBatchFiles, store: BatchStore, clock: Clock): SweepStep {
  const run = () => files.sweep(clock.now(), async (id) => (await store.find(id)) !== undefined);
  return hourly({ name: 'what killed uploads left behind', run });
}

function sweepTask(steps: readonly SweepStep[], logger: Logger): RecurringTask {
  return { name: 'sweep', everyMs: sweepEveryMs, run: () => sweep(steps, logger) };
}

function sealTask(sealer: Sealer, keys: TrustedKeys): RecurringTask {
  return {
    name: 'seal',
    everyMs: sealEveryMs,
    run: async () => {
      await sealer.sealOnce();
      await keys.keep();
    },
  };
}

function recurringTasks(
  database: Database,
  seal: RecurringTask,
  shadows: ShadowFollower,
  others: readonly RecurringTask[],
  logger: Logger,
): RecurringTasks {
  return new RecurringTasks(
    [seal, { name: 'shadow', everyMs: shadowEveryMs, run: async () => void (await shadows.run()) }, ...others],
    new Beats(database),
    logger,
  );
}

/** Redis is left out on purpose: without it the worker still seals, and a restart would not bring it back. */
function readiness(database: Database, sealer: Sealer): Readonly<Record<string, ReadinessCheck>> {
  return {
    database: async () => void (await database.query('SELECT 1')),
    log: async () => {
      if (sealer.alarms.length > 0) throw new Error(`the log has alarms: ${sealer.alarms.join(', ')}`);
    },
  };
}

/** What they find stands at /metrics. */
function watchedShadows(database: Database): ShadowFollower {
  watchShadows(database);
  return shadowFollower(database);
}

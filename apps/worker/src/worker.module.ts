import type { WorkerHost } from '@nestjs/bullmq';
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy, type Provider } from '@nestjs/common';
import type { Logger } from 'pino';
import { Exports, Sealer } from '#audit';
import { SealingModule } from '#audit/adapters/audit.module';
import { TrustedKeys } from '#audit/adapters/trusted-keys';
import { BacktestRunner, ShadowFollower } from '#decisions';
import { backtestRunner, shadowFollower } from '#decisions/adapters/backtests';
import { watchShadows } from '#decisions/adapters/shadow-metrics';
import { Refusal } from '#kernel';
import { TimeKeeper } from '#partners';
import { PartnersModule } from '#partners/adapters/partners.module';
import { PrismaEnrolmentStore } from '#partners/adapters/prisma-enrolment-store';
import { type Config, Database } from '#platform';
import { HealthController, READINESS, type ReadinessCheck } from '#platform/adapters/health.controller';
import { CLOCK, CONFIG, LOGGER, PlatformModule } from '#platform/adapters/platform.module';
import { JobSender, QueuesModule } from '#platform/adapters/queues.module';
import { RECONCILIATION_STORE, ReconciliationModule } from '#reconciliation/adapters/reconciliation.module';
import { FsBatchFiles } from '#records/adapters/fs-batch-files';
import { PgBatchStore } from '#records/adapters/pg-batch-store';
import { Disputes, Restrictions, ReviewDue, Webhooks } from '#standing';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { PgWebhookBook } from '#standing/adapters/pg-webhook-book';
import { BatchWorkModule } from '#standing/adapters/record-batches.module';
import { StandingModule } from '#standing/adapters/standing.module';
import { WebhookDeliveryModule, WebhooksModule } from '#standing/adapters/webhook-delivery.module';
import { BacktestProcessor } from './backtest.processor.js';
import { BatchProcessor } from './batch.processor.js';
import { Beats } from './beats.js';
import { DeliverProcessor, ProbeProcessor } from './deliver.processors.js';
import { ExportProcessor } from './export.processor.js';
import { partnerSteps } from './partner-steps.js';
import { Pacemaker } from './pacemaker.js';
import { ReconcileProcessor } from './reconcile.processor.js';
import { type RecurringTask, RecurringTasks } from './recurring-task.js';
import { DispatchProcessor, SealProcessor, ShadowProcessor, SweepProcessor } from './recurring.processors.js';
import { dueSteps, leftoverSteps, outstandingSteps, standingSteps } from './sweep-steps.js';
import { dispatchTask, sealTask, shadowTask, sweepTask } from './worker-tasks.js';

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

const [PARTNER_STEPS, LEFTOVER_STEPS, DUE_STEPS, STANDING_STEPS, OUTSTANDING_STEPS] = [
  Symbol('PARTNER_STEPS'),
  Symbol('LEFTOVER_STEPS'),
  Symbol('DUE_STEPS'),
  Symbol('STANDING_STEPS'),
  Symbol('OUTSTANDING_STEPS'),
];

/** What the sweep does, in groups. */
const STEPS: Provider[] = [
  { provide: PARTNER_STEPS, inject: [CONFIG, TimeKeeper, PrismaEnrolmentStore, CLOCK], useFactory: partnerSteps },
  { provide: LEFTOVER_STEPS, inject: [FsBatchFiles, PgBatchStore, CONFIG, CLOCK], useFactory: leftoverSteps },
  { provide: DUE_STEPS, inject: [Database, CONFIG, CLOCK], useFactory: dueSteps },
  { provide: STANDING_STEPS, inject: [Database, ReviewDue, Restrictions, Webhooks, Disputes], useFactory: standingSteps },
  { provide: OUTSTANDING_STEPS, inject: [Database, JobSender, RECONCILIATION_STORE, PgBatchStore, Exports], useFactory: outstandingSteps },
];

const [SEAL, SHADOW, SWEEP, DISPATCH] = [Symbol('SEAL'), Symbol('SHADOW'), Symbol('SWEEP'), Symbol('DISPATCH')];

const TASKS: Provider[] = [
  { provide: SEAL, inject: [Sealer, TrustedKeys], useFactory: sealTask },
  { provide: SHADOW, inject: [ShadowFollower], useFactory: shadowTask },
  {
    provide: SWEEP,
    inject: [LOGGER, PARTNER_STEPS, LEFTOVER_STEPS, DUE_STEPS, STANDING_STEPS, OUTSTANDING_STEPS],
    useFactory: sweepTask,
  },
  { provide: DISPATCH, inject: [PgWebhookBook, JobSender, CLOCK], useFactory: dispatchTask },
  {
    provide: RecurringTasks,
    inject: [Database, LOGGER, SEAL, SHADOW, SWEEP, DISPATCH],
    useFactory: (database: Database, logger: Logger, ...tasks: RecurringTask[]) => new RecurringTasks(tasks, new Beats(database), logger),
  },
  {
    provide: Pacemaker,
    inject: [RecurringTasks, JobSender],
    useFactory: (tasks: RecurringTasks, jobs: JobSender) => new Pacemaker(tasks, jobs),
  },
];

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
        PlatformModule.forRoot(config, logger, 'worker'),
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
        { provide: BacktestRunner, inject: [Database], useFactory: (database: Database) => backtestRunner(database) },
        { provide: ShadowFollower, inject: [Database], useFactory: watchedShadows },
        ...STEPS,
        ...TASKS,
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

/** Redis is left out on purpose: without it the worker still seals, and a restart would not bring it back. */
function readiness(database: Database, sealer: Sealer): Readonly<Record<string, ReadinessCheck>> {
  return {
    database: async () => void (await database.query('SELECT 1')),
    log: async () => {
      if (sealer.alarms.length > 0) throw new Refusal('unavailable', sealer.alarms.join(', '), 'the log has alarms');
    },
  };
}

/** What they find stands at /metrics. */
function watchedShadows(database: Database): ShadowFollower {
  watchShadows(database);
  return shadowFollower(database);
}

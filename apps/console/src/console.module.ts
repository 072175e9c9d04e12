import path from 'node:path';
import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Logger } from 'pino';
import { Exports } from '#audit';
import { PolicyHistoryModule } from '#decisions/adapters/policy-history.module';
import { AffectedDecisions } from '#decisions';
import { affectedDecisions } from '#decisions/adapters/pg-affected-decisions';
import { FsBundleFiles } from '#audit/adapters/fs-bundle-files';
import { PgExportStore } from '#audit/adapters/pg-export-store';
import { trustedKeysFile } from '#audit/adapters/trusted-keys';
import type { Clock } from '#kernel';
import { type Config, Database, type SqlRunner } from '#platform';
import { HealthController, READINESS } from '#platform/adapters/health.controller';
import { CLOCK, PlatformModule } from '#platform/adapters/platform.module';
import { PartnersModule } from '#partners/adapters/partners.module';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { PgConsentReader } from '#consents/adapters/pg-consent-reader';
import { StaffDoor } from '#staff';
import { StaffModule } from '#staff/adapters/staff.module';
import { PgReconciliationReader } from '#reconciliation/adapters/pg-reconciliation-reader';
import { Restrictions } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { PgDisputeReader } from '#standing/adapters/pg-dispute-reader';
import { PgRestrictionReader } from '#standing/adapters/pg-restriction-reader';
import { WebhooksModule } from '#standing/adapters/webhook-delivery.module';
import { PgCheckpoint } from './adapters/pg-checkpoint.js';
import { PgDecisionList } from './adapters/pg-decision-list.js';
import { PgFactLog } from './adapters/pg-fact-log.js';
import { PgOverview } from './adapters/pg-overview.js';
import { PgPartnerList } from './adapters/pg-partner-list.js';
import { PgStaffNames } from './adapters/pg-staff-names.js';
import { PgTraceReader } from './adapters/pg-trace-reader.js';
import { ReadOnly } from './adapters/read-only.js';
import { ExportsController } from './audit/exports.controller.js';
import { FactsController } from './audit/facts.controller.js';
import { type ConsoleDoor, consoleDoor } from './auth/origin.js';
import { SessionController } from './auth/session.controller.js';
import { SessionGuard } from './auth/session.guard.js';
import { ConsentsController } from './consents/consents.controller.js';
import { DecisionsController } from './decisions/decisions.controller.js';
import { OverviewController } from './overview/overview.controller.js';
import { PartnersController } from './partners/partners.controller.js';
import { WebhooksController } from './partners/webhooks.controller.js';
import { DisputesController } from './disputes/disputes.controller.js';
import { ReconciliationsController } from './reconciliations/reconciliations.controller.js';
import { RestrictionsController } from './restrictions/restrictions.controller.js';
import { BacktestsController } from './policies/backtests.controller.js';
import { LintController } from './policies/lint.controller.js';
import { PoliciesController } from './policies/policies.controller.js';
import { BUNDLE_FILES, CONSOLE_DOOR, LOG_KEYS_FILE } from './tokens.js';
import { LogKeysController } from './verify/log-keys.controller.js';
import { Tracer } from './trace/tracer.js';

/** Everything that only reads does so through `ReadOnly`. */
const READERS = [
  PgCheckpoint,
  PgConsentReader,
  PgDecisionList,
  PgDisputeReader,
  PgFactLog,
  PgOverview,
  PgPartnerList,
  PgReconciliationReader,
  PgRestrictionReader,
  PgStaffNames,
  PgTraceReader,
].map((Reader: new (sql: SqlRunner) => object): FactoryProvider => ({
  provide: Reader,
  inject: [ReadOnly],
  useFactory: (sql: ReadOnly) => new Reader(sql),
}));

@Module({})
export class ConsoleModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: ConsoleModule,
      imports: [
        PlatformModule.forRoot(config, logger, 'console'),
        StaffModule,
        PartnersModule.register(tellParticipants),
        PolicyHistoryModule,
        WebhooksModule,
      ],
      controllers: [
        HealthController,
        SessionController,
        OverviewController,
        DecisionsController,
        FactsController,
        ExportsController,
        PartnersController,
        WebhooksController,
        LintController,
        PoliciesController,
        BacktestsController,
        RestrictionsController,
        ConsentsController,
        DisputesController,
        ReconciliationsController,
        LogKeysController,
      ],
      providers: [
        ...READERS,
        { provide: ReadOnly, inject: [Database], useFactory: (database: Database) => new ReadOnly(database) },
        {
          provide: Tracer,
          inject: [PgTraceReader, PgFactLog],
          useFactory: (reader: PgTraceReader, log: PgFactLog) => new Tracer(reader, log),
        },
        {
          provide: Restrictions,
          inject: [Database, CLOCK],
          useFactory: (database: Database, clock: Clock) => new Restrictions(new PgExchange(database), nodeClerk, clock),
        },
        { provide: AffectedDecisions, inject: [Database], useFactory: affectedDecisions },
        { provide: Exports, inject: [Database], useFactory: (database: Database) => new Exports(new PgExportStore(database)) },
        { provide: BUNDLE_FILES, useValue: new FsBundleFiles(path.join(config.TALLYSTICK_HOME, 'exports')) },
        { provide: LOG_KEYS_FILE, useValue: trustedKeysFile(config) },
        { provide: CONSOLE_DOOR, useValue: consoleDoor(config) },
        {
          provide: APP_GUARD,
          inject: [StaffDoor, CONSOLE_DOOR, CLOCK],
          useFactory: (staff: StaffDoor, door: ConsoleDoor, clock: Clock) => new SessionGuard(staff, door, clock),
        },
        {
          provide: READINESS,
          inject: [Database],
          useFactory: (database: Database) => ({ database: async () => void (await database.query('SELECT 1')) }),
        },
      ],
    };
  }
}

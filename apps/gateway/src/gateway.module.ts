import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Config, Database, loadSigner } from '#platform';
import { AuditModule } from '#audit/adapters/audit.module';
import { ParticipantRegistry } from '#partners';
import { PartnersModule } from '#partners/adapters/partners.module';
import { HealthController, READINESS, type ReadinessCheck } from '#platform/adapters/health.controller';
import { JwksController, PUBLISHED_SIGNERS } from '#platform/adapters/jwks.controller';
import { PlatformModule } from '#platform/adapters/platform.module';
import { QueuesModule } from '#platform/adapters/queues.module';
import { ReconciliationModule } from '#reconciliation/adapters/reconciliation.module';
import { RecordBatchesModule } from '#standing/adapters/record-batches.module';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { RecordExchangeModule } from '#standing/adapters/standing.module';
import { EventsController } from './events.controller.js';
import { ParticipantsController } from './participants.controller.js';
import { ReconciliationsController } from './reconciliations.controller.js';
import { RecordBatchesController } from './record-batches.controller.js';
import { RecordsController } from './records.controller.js';
import { SecurityController } from './security.controller.js';
import { StatementsController } from './statements.controller.js';

/** The partners' door: what stands behind the channel. */
@Module({})
export class GatewayModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        PlatformModule.forRoot(config, logger),
        PartnersModule.register(tellParticipants),
        RecordExchangeModule,
        RecordBatchesModule,
        AuditModule,
        QueuesModule.register(),
        ReconciliationModule.register(),
      ],
      controllers: [
        HealthController,
        ParticipantsController,
        SecurityController,
        JwksController,
        RecordsController,
        RecordBatchesController,
        EventsController,
        StatementsController,
        ReconciliationsController,
      ],
      providers: [
        { provide: READINESS, useFactory: readiness, inject: [Database, ParticipantRegistry] },
        { provide: PUBLISHED_SIGNERS, useFactory: () => (['receipt', 'response', 'export'] as const).map((name) => loadSigner(config, name)) },
      ],
    };
  }
}

function readiness(database: Database, registry: ParticipantRegistry): Readonly<Record<string, ReadinessCheck>> {
  return {
    database: async () => void (await database.query('SELECT 1')),
    registry: async () => void registry.list(),
  };
}

import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from '#kernel';
import { type Config, Database, Spool } from '#platform';
import { GatherEvidence } from '#audit';
import { AuditModule, INCLUSION_PROOFS } from '#audit/adapters/audit.module';
import { createGatherEvidence } from '#audit/adapters/evidence-wiring';
import { Enrolments, GatewayKeys, ParticipantRegistry } from '#partners';
import { GatewayKeysModule } from '#partners/adapters/gateway-keys.module';
import { nodeClerk } from '#partners/adapters/node-secret';
import { PartnersModule } from '#partners/adapters/partners.module';
import { PgPresentedCertificates } from '#partners/adapters/pg-presented-certificates';
import { PrismaEnrolmentStore } from '#partners/adapters/prisma-enrolment-store';
import { HealthController, READINESS, type ReadinessCheck } from '#platform/adapters/health.controller';
import { JwksController, PUBLISHED_SIGNERS } from '#platform/adapters/jwks.controller';
import { CLOCK, PlatformModule } from '#platform/adapters/platform.module';
import { QueuesModule } from '#platform/adapters/queues.module';
import { FsBatchFiles } from '#records/adapters/fs-batch-files';
import { PgBatchStore } from '#records/adapters/pg-batch-store';
import { PgIssuerRecords } from '#records/adapters/pg-issuer-records';
import { ReconciliationModule } from '#reconciliation/adapters/reconciliation.module';
import { RecordBatchesModule } from '#standing/adapters/record-batches.module';
import { ConsentsModule } from '#standing/adapters/consents.module';
import { DisclosureModule } from '#standing/adapters/disclosure.module';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { RecordExchangeModule } from '#standing/adapters/standing.module';
import { WebhooksModule } from '#standing/adapters/webhook-delivery.module';
import { digestCsr } from '../../../certs/issue.js';
import { SmallCalls } from './channel/give-way.js';
import { ConsentsController } from './consents.controller.js';
import { DisputesController } from './disputes.controller.js';
import { EventsController } from './events.controller.js';
import { GatewayKeysController } from './participants/gateway-keys.controller.js';
import { ParticipantsController } from './participants/participants.controller.js';
import { PartnerCertificatesController } from './participants/partner-certificates.controller.js';
import { PartnerKeysController } from './participants/partner-keys.controller.js';
import { publishKeys } from './participants/publish-keys.js';
import { IssuerMetadataController } from './issuer-metadata.controller.js';
import { RatingsController } from './ratings.controller.js';
import { ReconciliationsController } from './reconciliations.controller.js';
import { RecordBatchesController } from './record-batches.controller.js';
import { RecordEvidenceController } from './record-evidence.controller.js';
import { RecordSetsModule } from './record-sets/record-sets.module.js';
import { RecordsController } from './records.controller.js';
import { SchemasController } from './schemas.controller.js';
import { SecurityController } from './security.controller.js';
import { StatementsController } from './statements.controller.js';
import { WebhooksController } from './webhooks.controller.js';

const CONTROLLERS = [
  HealthController,
  ParticipantsController,
  PartnerKeysController,
  PartnerCertificatesController,
  GatewayKeysController,
  SchemasController,
  SecurityController,
  JwksController,
  RecordsController,
  RecordEvidenceController,
  RecordBatchesController,
  ConsentsController,
  IssuerMetadataController,
  RatingsController,
  DisputesController,
  EventsController,
  WebhooksController,
  StatementsController,
  ReconciliationsController,
];

/** The partners' door: what stands behind the channel. */
@Module({})
export class GatewayModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        PlatformModule.forRoot(config, logger, 'gateway'),
        PartnersModule.register(tellParticipants),
        GatewayKeysModule,
        RecordExchangeModule,
        RecordBatchesModule,
        RecordSetsModule,
        DisclosureModule,
        ConsentsModule,
        WebhooksModule,
        AuditModule,
        QueuesModule.register(),
        ReconciliationModule.register(),
      ],
      controllers: CONTROLLERS,
      providers: [
        { provide: Spool, useFactory: () => Spool.open(config) },
        { provide: SmallCalls, useFactory: () => new SmallCalls() },
        { provide: READINESS, useFactory: readiness, inject: [Database, ParticipantRegistry] },
        { provide: PUBLISHED_SIGNERS, useFactory: (keys: GatewayKeys) => publishKeys(config, keys), inject: [GatewayKeys] },
        {
          provide: PgPresentedCertificates,
          useFactory: (database: Database, clock: Clock) => new PgPresentedCertificates(database, clock),
          inject: [Database, CLOCK],
        },
        {
          provide: GatherEvidence,
          useFactory: createGatherEvidence,
          inject: [Database, INCLUSION_PROOFS, PgPresentedCertificates, PgBatchStore, FsBatchFiles],
        },
        { provide: PgIssuerRecords, useFactory: (database: Database) => new PgIssuerRecords(database), inject: [Database] },
        {
          provide: Enrolments,
          useFactory: (store: PrismaEnrolmentStore, registry: ParticipantRegistry, clock: Clock) =>
            new Enrolments(store, registry, nodeClerk(digestCsr), clock),
          inject: [PrismaEnrolmentStore, ParticipantRegistry, CLOCK],
        },
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

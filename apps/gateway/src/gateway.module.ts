import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Config, Database, loadSigner } from '#platform';
import { ParticipantRegistry } from '#partners';
import { PartnersModule } from '#partners/adapters/partners.module';
import { HealthController, READINESS, type ReadinessCheck } from '#platform/adapters/health.controller';
import { PlatformModule } from '#platform/adapters/platform.module';
import { JwksController, PUBLISHED_SIGNERS } from './jwks.controller.js';
import { ParticipantsController } from './participants.controller.js';
import { SecurityController } from './security.controller.js';

/** The partners' door: what stands behind the channel. */
@Module({})
export class GatewayModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: GatewayModule,
      imports: [PlatformModule.forRoot(config, logger), PartnersModule.register()],
      controllers: [HealthController, ParticipantsController, SecurityController, JwksController],
      providers: [
        { provide: READINESS, useFactory: readiness, inject: [Database, ParticipantRegistry] },
        { provide: PUBLISHED_SIGNERS, useFactory: () => [loadSigner(config, 'receipt'), loadSigner(config, 'export')] },
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

import { Module } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from '#kernel';
import type { Config } from '#platform';
import { CLOCK, CONFIG, LOGGER } from '#platform/adapters/platform.module';
import { GatewayKeys } from '../gateway-keys.js';
import { ParticipantRegistry } from '../participant-registry.js';
import { GatewayKeyFiles } from './gateway-key-files.js';
import { nodeClerk } from './node-secret.js';
import { PrismaParticipantStore } from './prisma-participant-store.js';

const clerk = nodeClerk(() => Promise.reject(new Error('nobody asks for a certificate here')));

/** Our own keys towards participants. Needs the signing keys `response` and `receipt`, and `PartnersModule`. */
@Module({
  providers: [
    {
      provide: GatewayKeyFiles,
      useFactory: (config: Config, logger: Logger) => new GatewayKeyFiles(config, logger),
      inject: [CONFIG, LOGGER],
    },
    {
      provide: GatewayKeys,
      useFactory: (...[files, store, registry, clock]: [GatewayKeyFiles, PrismaParticipantStore, ParticipantRegistry, Clock]) =>
        new GatewayKeys(() => files.read(), store, registry, clerk, clock),
      inject: [GatewayKeyFiles, PrismaParticipantStore, ParticipantRegistry, CLOCK],
    },
  ],
  exports: [GatewayKeys],
})
export class GatewayKeysModule {}

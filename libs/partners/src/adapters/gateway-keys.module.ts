import { Module } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from '#kernel';
import { type Config, OwnKeys } from '#platform';
import { CLOCK, CONFIG, LOGGER } from '#platform/adapters/platform.module';
import { GATEWAY_KEY_USES, type GatewayKeyUse, GatewayKeys } from '../gateway-keys.js';
import { ParticipantRegistry } from '../participant-registry.js';
import { nodeClerk } from './node-secret.js';
import { PrismaParticipantStore } from './prisma-participant-store.js';

const clerk = nodeClerk(() => Promise.reject(new Error('nobody asks for a certificate here')));

/** Our own keys towards participants. Needs the signing keys `response` and `receipt`, and `PartnersModule`. */
@Module({
  providers: [
    {
      provide: OwnKeys,
      useFactory: (config: Config, logger: Logger) => new OwnKeys(config, GATEWAY_KEY_USES, logger),
      inject: [CONFIG, LOGGER],
    },
    {
      provide: GatewayKeys,
      useFactory: (...[keys, store, registry, clock]: [OwnKeys<GatewayKeyUse>, PrismaParticipantStore, ParticipantRegistry, Clock]) =>
        new GatewayKeys(() => keys.read(), store, registry, clerk, clock),
      inject: [OwnKeys, PrismaParticipantStore, ParticipantRegistry, CLOCK],
    },
  ],
  exports: [GatewayKeys],
})
export class GatewayKeysModule {}

import path from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Logger } from 'pino';
import { Decider, Settler } from '#decisions';
import { DecisionsModule } from '#decisions/adapters/decisions.module';
import type { Clock } from '#kernel';
import { PartnersModule } from '#partners/adapters/partners.module';
import { type Config, Database, keysFolder } from '#platform';
import { HealthController, READINESS } from '#platform/adapters/health.controller';
import { CLOCK, PlatformModule } from '#platform/adapters/platform.module';
import { ActivePolicyCache } from '#policies/adapters/active-policy-cache';
import { StandingModule } from '#standing/adapters/standing.module';
import { AuthGuard } from './auth/auth.guard.js';
import { TokenVerifier } from './auth/token-verifier.js';
import { DecisionDoor } from './decision-door.js';
import { DecisionsController } from './decisions.controller.js';
import { DecisionsGrpcController } from './decisions-grpc.controller.js';
import { HeadroomController } from './headroom.controller.js';
import { ReservationsController } from './reservations.controller.js';
import { SubjectsController } from './subjects.controller.js';

@Module({})
export class DecisionApiModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: DecisionApiModule,
      imports: [PlatformModule.forRoot(config, logger), PartnersModule.register(), StandingModule, DecisionsModule],
      controllers: [
        HealthController,
        DecisionsController,
        ReservationsController,
        HeadroomController,
        SubjectsController,
        DecisionsGrpcController,
      ],
      providers: [
        { provide: TokenVerifier, useFactory: (clock: Clock) => tokenVerifier(config, clock), inject: [CLOCK] },
        { provide: APP_GUARD, useClass: AuthGuard },
        {
          provide: DecisionDoor,
          useFactory: (decider: Decider, settler: Settler, tokens: TokenVerifier) => new DecisionDoor(decider, settler, tokens, logger),
          inject: [Decider, Settler, TokenVerifier],
        },
        { provide: READINESS, useFactory: readiness, inject: [Database, ActivePolicyCache] },
      ],
    };
  }
}

function tokenVerifier(config: Config, clock: Clock): TokenVerifier {
  const jwksFile = config.INTERNAL_JWKS_FILE ?? path.join(keysFolder(config), 'internal-issuer.jwks.json');
  return new TokenVerifier(jwksFile, config.INTERNAL_TOKEN_ISSUER, clock);
}

function readiness(database: Database, policies: ActivePolicyCache) {
  return {
    database: async () => void (await database.query('SELECT 1')),
    policy: async () => void policies.current(),
  };
}

import path from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Logger } from 'pino';
import { type AllowanceTerms, Decider, Settler } from '#decisions';
import { DecisionsModule } from '#decisions/adapters/decisions.module';
import { AllowancesModule } from '#decisions/adapters/allowances.module';
import { NodeSources } from '#decisions/adapters/node-sources';
import { PolicyHistoryModule } from '#decisions/adapters/policy-history.module';
import { AuditModule } from '#audit/adapters/audit.module';
import type { Clock } from '#kernel';
import { PartnersModule } from '#partners/adapters/partners.module';
import { type Config, ConfigError, createSigner, Database, keysFolder, OwnKeys, publicHalves, type PublicJwks } from '#platform';
import { HealthController, READINESS } from '#platform/adapters/health.controller';
import { JwksController, PUBLISHED_SIGNERS } from '#platform/adapters/jwks.controller';
import { CLOCK, PlatformModule } from '#platform/adapters/platform.module';
import { ActivePolicyCache } from '#policies/adapters/active-policy-cache';
import { SubjectViews } from '#standing';
import { ConsentsModule } from '#standing/adapters/consents.module';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { pgSubjectViews } from '#standing/adapters/pg-subject-views';
import { StandingModule } from '#standing/adapters/standing.module';
import { AllowancesController } from './allowances.controller.js';
import { AllowancesGrpcController } from './allowances-grpc.controller.js';
import { BacktestsController } from './backtests.controller.js';
import { AuthGuard } from './auth/auth.guard.js';
import { TokenVerifier } from './auth/token-verifier.js';
import { ConsentsController } from './consents.controller.js';
import { DecisionDoor } from './decision-door.js';
import { DecisionsController } from './decisions.controller.js';
import { DecisionsGrpcController } from './decisions-grpc.controller.js';
import { DOORS } from './door-providers.js';
import { HeadroomController } from './headroom.controller.js';
import { LinkedGrpcController } from './linked-grpc.controller.js';
import { LookupsGrpcController } from './lookups-grpc.controller.js';
import { OpenAnswersController } from './open-answers.controller.js';
import { PoliciesController } from './policies.controller.js';
import { PolicyVersionsController } from './policy-versions.controller.js';
import { ReadsInterceptor } from './reads/reads.interceptor.js';
import { ReservationsController } from './reservations.controller.js';
import { AFFECTED_DECISIONS, DisputesController } from './disputes.controller.js';
import { RestrictionsController } from './restrictions.controller.js';
import { ScriptedSubjects } from './scripted-subjects.js';
import { SimulationsController, SimulationsGrpcController } from './simulations.controller.js';
import { SubjectsController } from './subjects.controller.js';

@Module({})
export class DecisionApiModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: DecisionApiModule,
      imports: [
        PlatformModule.forRoot(config, logger, 'decision-api'),
        PartnersModule.register(tellParticipants),
        StandingModule,
        ConsentsModule,
        AuditModule,
        DecisionsModule,
        PolicyHistoryModule,
        AllowancesModule.register(allowanceTerms(config)),
      ],
      controllers: [
        HealthController,
        JwksController,
        DecisionsController,
        ReservationsController,
        AllowancesController,
        OpenAnswersController,
        HeadroomController,
        PoliciesController,
        PolicyVersionsController,
        BacktestsController,
        SubjectsController,
        RestrictionsController,
        DisputesController,
        ConsentsController,
        DecisionsGrpcController,
        LinkedGrpcController,
        LookupsGrpcController,
        SimulationsController,
        SimulationsGrpcController,
        AllowancesGrpcController,
      ],
      providers: [
        { provide: TokenVerifier, useFactory: tokenVerifier(config), inject: [CLOCK] },
        { provide: APP_GUARD, useClass: AuthGuard },
        { provide: APP_INTERCEPTOR, useClass: ReadsInterceptor },
        { provide: SubjectViews, useFactory: pgSubjectViews, inject: [Database] },
        {
          provide: DecisionDoor,
          useFactory: (decider: Decider, settler: Settler, sources: NodeSources, tokens: TokenVerifier) => {
            const scripted = isScripted(config) ? new ScriptedSubjects(decider, settler, sources) : undefined;
            return new DecisionDoor(scripted ?? decider, scripted ?? settler, tokens, logger);
          },
          inject: [Decider, Settler, NodeSources, TokenVerifier],
        },
        { provide: OwnKeys, useFactory: () => receiptKeys(config, logger) },
        { provide: PUBLISHED_SIGNERS, useFactory: publishedKeys, inject: [OwnKeys] },
        ...DOORS,
        AFFECTED_DECISIONS,
        { provide: READINESS, useFactory: readiness, inject: [Database, ActivePolicyCache] },
      ],
    };
  }
}

/** The configuration has refused them in production already. */
function isScripted({ SCRIPTED_SUBJECTS, TALLYSTICK_ENV }: Config): boolean {
  return TALLYSTICK_ENV !== 'production' && SCRIPTED_SUBJECTS !== 'off';
}

/** In production the issuer is somebody else's: the file beside our own keys is development's, and its private half lies there, too. */
function issuerKeysFile(config: Config): string {
  if (config.INTERNAL_JWKS_FILE !== undefined) return config.INTERNAL_JWKS_FILE;
  if (config.TALLYSTICK_ENV !== 'production') return path.join(keysFolder(config), 'internal-issuer.jwks.json');
  throw new ConfigError('INTERNAL_JWKS_FILE: name the public keys of your issuer of tokens; production has no default');
}

/** Throws at once where a setting is missing: before anything else of the process is made. */
function tokenVerifier(config: Config): (clock: Clock) => TokenVerifier {
  const keysFile = issuerKeysFile(config);
  return (clock) => new TokenVerifier(keysFile, config.INTERNAL_TOKEN_ISSUER, clock);
}

function allowanceTerms(config: Config): AllowanceTerms {
  return { secondsMax: config.ALLOWANCE_SECONDS_MAX, graceSeconds: config.ALLOWANCE_GRACE_SECONDS };
}

/** In production an operator brings the key and its folder may be read-only; elsewhere the first door that needs one makes it. */
function receiptKeys(config: Config, logger: Logger): OwnKeys<'receipt'> {
  if (config.TALLYSTICK_ENV !== 'production') createSigner(config, 'receipt');
  return new OwnKeys(config, ['receipt'], logger);
}

/** With the keys before it: receipts and allowances outlive the key that signed them. */
function publishedKeys(keys: OwnKeys<'receipt'>): () => PublicJwks {
  return () => ({ keys: publicHalves(keys.read().receipt) });
}

function readiness(database: Database, policies: ActivePolicyCache) {
  return {
    database: async () => void (await database.query('SELECT 1')),
    policy: async () => void policies.current(),
  };
}

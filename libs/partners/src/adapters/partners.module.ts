import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from '#kernel';
import { CLOCK, LOGGER } from '#platform/adapters/platform.module';
import { PrismaModule, PrismaService } from '#platform/adapters/prisma.module';
import { ParticipantRegistry, viewRefreshMs } from '../participant-registry.js';
import { Participants } from '../participants.js';
import { PartnerKeys } from '../partner-keys.js';
import { TimeKeeper } from '../time-keeper.js';
import { watchExpiry } from './expiry-metrics.js';
import { newSecret } from './node-secret.js';
import type { TellParticipants } from './participant-rows.js';
import { PrismaEnrolmentStore } from './prisma-enrolment-store.js';
import { PrismaParticipantStore } from './prisma-participant-store.js';

/** The registry, confirmed from PostgreSQL each second for as long as the process lives. Needs `PlatformModule`. */
@Module({})
export class PartnersModule implements OnModuleInit, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private refreshing = false;

  constructor(
    @Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** `tell` puts what participants are to hear into their event queues. */
  static register(tell: TellParticipants): DynamicModule {
    const STORES = [PrismaParticipantStore, ParticipantRegistry, CLOCK];
    return {
      module: PartnersModule,
      global: true,
      imports: [PrismaModule],
      providers: [
        {
          provide: PrismaParticipantStore,
          useFactory: (prisma: PrismaService) => new PrismaParticipantStore(prisma, tell),
          inject: [PrismaService],
        },
        {
          provide: PrismaEnrolmentStore,
          useFactory: (prisma: PrismaService) => new PrismaEnrolmentStore(prisma, tell),
          inject: [PrismaService],
        },
        {
          provide: ParticipantRegistry,
          useFactory: (store: PrismaParticipantStore, clock: Clock) => new ParticipantRegistry(store, clock),
          inject: [PrismaParticipantStore, CLOCK],
        },
        {
          provide: Participants,
          useFactory: (...[store, registry, clock]: [PrismaParticipantStore, ParticipantRegistry, Clock]) =>
            new Participants(store, registry, clock),
          inject: STORES,
        },
        {
          provide: PartnerKeys,
          useFactory: (...[store, registry, clock]: [PrismaParticipantStore, ParticipantRegistry, Clock]) =>
            new PartnerKeys(store, registry, newSecret, clock),
          inject: STORES,
        },
        {
          provide: TimeKeeper,
          useFactory: (...[store, registry, clock]: [PrismaParticipantStore, ParticipantRegistry, Clock]) =>
            new TimeKeeper(store, registry, clock),
          inject: STORES,
        },
      ],
      exports: [ParticipantRegistry, Participants, PartnerKeys, TimeKeeper, PrismaEnrolmentStore, PrismaParticipantStore],
    };
  }

  async onModuleInit(): Promise<void> {
    await this.registry.refresh();
    watchExpiry(this.registry, this.clock);
    this.timer = setInterval(() => void this.refresh(), viewRefreshMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** A refresh that fails only lets the view grow old: after ten seconds the registry itself refuses. */
  private async refresh(): Promise<void> {
    if (this.refreshing) return;
    this.refreshing = true;
    try {
      await this.registry.refresh();
    } catch (error) {
      this.logger.error({ error: (error as Error).message }, 'the participant registry could not be refreshed');
    } finally {
      this.refreshing = false;
    }
  }
}

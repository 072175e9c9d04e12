import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from '#kernel';
import { CLOCK, LOGGER } from '#platform/adapters/platform.module';
import { PrismaModule, PrismaService } from '#platform/adapters/prisma.module';
import { ParticipantRegistry, viewRefreshMs } from '../participant-registry.js';
import { Participants } from '../participants.js';
import { PrismaParticipantStore } from './prisma-participant-store.js';

/** The registry, confirmed from PostgreSQL each second for as long as the process lives. Needs `PlatformModule`. */
@Module({})
export class PartnersModule implements OnModuleInit, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private refreshing = false;

  constructor(
    @Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  static register(): DynamicModule {
    return {
      module: PartnersModule,
      global: true,
      imports: [PrismaModule],
      providers: [
        {
          provide: PrismaParticipantStore,
          useFactory: (prisma: PrismaService) => new PrismaParticipantStore(prisma),
          inject: [PrismaService],
        },
        {
          provide: ParticipantRegistry,
          useFactory: (store: PrismaParticipantStore, clock: Clock) => new ParticipantRegistry(store, clock),
          inject: [PrismaParticipantStore, CLOCK],
        },
        {
          provide: Participants,
          useFactory: (store: PrismaParticipantStore, registry: ParticipantRegistry, clock: Clock) =>
            new Participants(store, registry, clock),
          inject: [PrismaParticipantStore, ParticipantRegistry, CLOCK],
        },
      ],
      exports: [ParticipantRegistry, Participants],
    };
  }

  async onModuleInit(): Promise<void> {
    await this.registry.refresh();
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

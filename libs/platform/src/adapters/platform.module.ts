import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { systemClock } from '#kernel';
import { type Config, ConfigError } from '../config.js';
import { Database } from '../database.js';

export const CONFIG = Symbol('CONFIG');
export const LOGGER = Symbol('LOGGER');
export const CLOCK = Symbol('CLOCK');

/** What every process has: settings, a logger, a clock and the database. */
@Global()
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: PlatformModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: systemClock },
        { provide: Database, useFactory: () => Database.open(databaseUrl(config), config.DATABASE_POOL_MAX) },
      ],
      exports: [CONFIG, LOGGER, CLOCK, Database],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}

function databaseUrl(config: Config): string {
  if (config.DATABASE_URL === undefined) throw new ConfigError('DATABASE_URL is not set: start with "npm run up", or name a PostgreSQL');
  return config.DATABASE_URL;
}

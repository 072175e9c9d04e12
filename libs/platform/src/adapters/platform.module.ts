import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { systemClock } from '#kernel';
import { type Config, ConfigError } from '../config.js';
import { armCrash, type PassPoint } from '../crash-point.js';
import { Database } from '../database.js';
import { STATEMENT_MS_MAX } from '../slow-database.js';

export const CONFIG = Symbol('CONFIG');
export const LOGGER = Symbol('LOGGER');
export const CLOCK = Symbol('CLOCK');
/** `PassPoint`: for write steps outside the database, such as tiles. */
export const PASS_POINT = Symbol('PASS_POINT');

/** What every process has: settings, a logger, a clock and the database. */
@Global()
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** `process`: whose statements may take how long (`STATEMENT_MS_MAX`); absent: as long as they like. */
  static forRoot(config: Config, logger: Logger, process?: keyof typeof STATEMENT_MS_MAX): DynamicModule {
    const statementMsMax = process && (config.DATABASE_STATEMENT_MS_MAX ?? STATEMENT_MS_MAX[process]);
    return {
      module: PlatformModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: systemClock },
        { provide: PASS_POINT, useFactory: () => armCrash(config, String(logger.bindings()['app'])) },
        {
          provide: Database,
          inject: [PASS_POINT],
          useFactory: (passPoint: PassPoint) => Database.open(databaseUrl(config), config.DATABASE_POOL_MAX, passPoint, statementMsMax),
        },
      ],
      exports: [CONFIG, LOGGER, CLOCK, PASS_POINT, Database],
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

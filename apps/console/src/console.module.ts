import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Logger } from 'pino';
import type { Clock } from '#kernel';
import { type Config, Database } from '#platform';
import { HealthController, READINESS } from '#platform/adapters/health.controller';
import { CLOCK, PlatformModule } from '#platform/adapters/platform.module';
import { StaffDoor } from '#staff';
import { StaffModule } from '#staff/adapters/staff.module';
import { type ConsoleDoor, consoleDoor } from './auth/origin.js';
import { SessionController } from './auth/session.controller.js';
import { SessionGuard } from './auth/session.guard.js';
import { CONSOLE_DOOR } from './auth/tokens.js';

@Module({})
export class ConsoleModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: ConsoleModule,
      imports: [PlatformModule.forRoot(config, logger), StaffModule],
      controllers: [HealthController, SessionController],
      providers: [
        { provide: CONSOLE_DOOR, useValue: consoleDoor(config) },
        {
          provide: APP_GUARD,
          inject: [StaffDoor, CONSOLE_DOOR, CLOCK],
          useFactory: (staff: StaffDoor, door: ConsoleDoor, clock: Clock) => new SessionGuard(staff, door, clock),
        },
        {
          provide: READINESS,
          inject: [Database],
          useFactory: (database: Database) => ({ database: async () => void (await database.query('SELECT 1')) }),
        },
      ],
    };
  }
}

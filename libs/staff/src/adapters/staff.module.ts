import { Module } from '@nestjs/common';
import { Database } from '#platform';
import { StaffDoor } from '../staff-door.js';
import { NodeSecrets } from './node-secrets.js';
import { PgStaffStore } from './pg-staff-store.js';

@Module({
  providers: [
    {
      provide: StaffDoor,
      inject: [Database],
      useFactory: (database: Database) => new StaffDoor(new PgStaffStore(database), new NodeSecrets()),
    },
  ],
  exports: [StaffDoor],
})
export class StaffModule {}

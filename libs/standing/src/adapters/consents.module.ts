import { Module } from '@nestjs/common';
import { PgConsentReader } from '#consents/adapters/pg-consent-reader';
import { type Clock, systemClock } from '#kernel';
import { Database } from '#platform';
import { CLOCK } from '#platform/adapters/platform.module';
import { Consents } from '../consent/consents.js';
import { nodeClerk } from './node-notary.js';
import { PgExchange } from './pg-exchange.js';

/** Consents, for every door and for the worker. Needs no key: artefacts are signed where they are given out. */
@Module({
  providers: [
    {
      provide: Consents,
      useFactory: (database: Database, clock: Clock) => new Consents(new PgExchange(database), nodeClerk, clock),
      inject: [Database, CLOCK],
    },
    { provide: PgConsentReader, useFactory: (database: Database) => new PgConsentReader(database), inject: [Database] },
  ],
  exports: [Consents, PgConsentReader],
})
export class ConsentsModule {}

/** What the worker's sweep does about consents: it writes down that they have expired, or ended with their link. Reads are refused already. */
export function consentExpiry(database: Database): { run(): Promise<number> } {
  const consents = new Consents(new PgExchange(database), nodeClerk, systemClock);
  const reader = new PgConsentReader(database);
  return { run: async () => (await consents.expire(reader)) + (await consents.endOrphans(reader)) };
}

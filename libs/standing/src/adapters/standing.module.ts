import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import type { Clock } from '#kernel';
import { GatewayKeys } from '#partners';
import { GatewayKeysModule } from '#partners/adapters/gateway-keys.module';
import { type Config, Database } from '#platform';
import { CLOCK, CONFIG } from '#platform/adapters/platform.module';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { AcceptRecord } from '../accept-record.js';
import type { Notary } from '../notary.js';
import { type Pause, PollEvents } from '../poll-events.js';
import { receiptWriter } from '../record-receipt.js';
import { Disputes } from '../dispute/disputes.js';
import { Restrictions } from '../restrictions.js';
import { ReviewDue } from '../review-due.js';
import { Subjects } from '../subjects.js';
import { createNotary, nodeClerk } from './node-notary.js';
import { PgEventQueue } from './pg-event-queue.js';
import { PgDisputeReader } from './pg-dispute-reader.js';
import { PgExchange } from './pg-exchange.js';
import { PgRestrictionReader } from './pg-restriction-reader.js';
import { PgStandingReader } from './pg-standing-reader.js';

/** The clerk that signs receipts and event tokens. */
export const NOTARY = Symbol('NOTARY');

const pause: Pause = (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined);

const DISPUTES = {
  provide: Disputes,
  useFactory: (database: Database, clock: Clock) => new Disputes(new PgExchange(database), nodeClerk, clock),
  inject: [Database, CLOCK],
};
const DISPUTE_READER = { provide: PgDisputeReader, useFactory: (database: Database) => new PgDisputeReader(database), inject: [Database] };

/** Subjects and standings, for decision-api and the worker. Needs no key. */
@Module({
  providers: [
    {
      provide: Subjects,
      useFactory: (database: Database, clock: Clock) => new Subjects(new PgExchange(database), nodeClerk, clock),
      inject: [Database, CLOCK],
    },
    {
      provide: ReviewDue,
      useFactory: (database: Database, clock: Clock) => new ReviewDue(new PgExchange(database), nodeClerk, clock),
      inject: [Database, CLOCK],
    },
    {
      provide: Restrictions,
      useFactory: (database: Database, clock: Clock) => new Restrictions(new PgExchange(database), nodeClerk, clock),
      inject: [Database, CLOCK],
    },
    DISPUTES,
    DISPUTE_READER,
    { provide: PgRestrictionReader, useFactory: (database: Database) => new PgRestrictionReader(database), inject: [Database] },
    { provide: PgStandingReader, useFactory: (database: Database) => new PgStandingReader(database), inject: [Database] },
  ],
  exports: [Subjects, ReviewDue, Restrictions, Disputes, PgDisputeReader, PgRestrictionReader, PgStandingReader],
})
export class StandingModule {}

/** Records in, receipts and events out. Needs `PartnersModule` and our own keys towards participants. */
@Module({
  imports: [GatewayKeysModule],
  providers: [
    {
      provide: NOTARY,
      useFactory: (config: Config, keys: GatewayKeys) => createNotary(config.GATEWAY_ORIGIN, (reader) => keys.keyFor('receipt', reader)),
      inject: [CONFIG, GatewayKeys],
    },
    {
      provide: AcceptRecord,
      useFactory: (database: Database, notary: Notary, clock: Clock) =>
        new AcceptRecord(new PgExchange(database, receiptWriter(notary)), notary, clock),
      inject: [Database, NOTARY, CLOCK],
    },
    {
      provide: PollEvents,
      useFactory: (database: Database, notary: Notary, clock: Clock) => new PollEvents(new PgEventQueue(database), notary, clock, pause),
      inject: [Database, NOTARY, CLOCK],
    },
    {
      provide: PgRecordBook,
      useFactory: (database: Database, notary: Notary) => new PgRecordBook(database, receiptWriter(notary)),
      inject: [Database, NOTARY],
    },
    DISPUTES,
    DISPUTE_READER,
  ],
  exports: [NOTARY, AcceptRecord, PollEvents, PgRecordBook, Disputes, PgDisputeReader],
})
export class RecordExchangeModule {}

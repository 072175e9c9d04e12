import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import type { Clock } from '#kernel';
import { type Config, Database, loadSigner } from '#platform';
import { CLOCK, CONFIG } from '#platform/adapters/platform.module';
import { AcceptRecord } from '../accept-record.js';
import type { Notary } from '../notary.js';
import { type Pause, PollEvents } from '../poll-events.js';
import { ReviewDue } from '../review-due.js';
import { Subjects } from '../subjects.js';
import { createNotary } from './node-notary.js';
import { PgEventQueue } from './pg-event-queue.js';
import { PgExchange } from './pg-exchange.js';
import { PgStandingReader } from './pg-standing-reader.js';

export const NOTARY = Symbol('NOTARY');

const pause: Pause = (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined);

/** The exchange's flows over PostgreSQL: for the gateway, decision-api and the worker. */
@Module({
  providers: [
    {
      provide: NOTARY,
      useFactory: (config: Config) => createNotary(config.GATEWAY_ORIGIN, loadSigner(config, 'receipt')),
      inject: [CONFIG],
    },
    { provide: PgExchange, useFactory: (database: Database) => new PgExchange(database), inject: [Database] },
    {
      provide: AcceptRecord,
      useFactory: (exchange: PgExchange, notary: Notary, clock: Clock) => new AcceptRecord(exchange, notary, clock),
      inject: [PgExchange, NOTARY, CLOCK],
    },
    {
      provide: Subjects,
      useFactory: (exchange: PgExchange, notary: Notary, clock: Clock) => new Subjects(exchange, notary, clock),
      inject: [PgExchange, NOTARY, CLOCK],
    },
    {
      provide: ReviewDue,
      useFactory: (exchange: PgExchange, notary: Notary, clock: Clock) => new ReviewDue(exchange, notary, clock),
      inject: [PgExchange, NOTARY, CLOCK],
    },
    {
      provide: PollEvents,
      useFactory: (database: Database, notary: Notary, clock: Clock) => new PollEvents(new PgEventQueue(database), notary, clock, pause),
      inject: [Database, NOTARY, CLOCK],
    },
    { provide: PgStandingReader, useFactory: (database: Database) => new PgStandingReader(database), inject: [Database] },
  ],
  exports: [NOTARY, AcceptRecord, Subjects, ReviewDue, PollEvents, PgStandingReader],
})
export class StandingModule {}

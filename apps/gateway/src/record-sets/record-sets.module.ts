import { setImmediate as pause } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { nodeCrypto } from '#evidence';
import type { Clock } from '#kernel';
import { Database } from '#platform';
import { CLOCK } from '#platform/adapters/platform.module';
import { AgreeOnSet, RecordSets, type SetNotary } from '#records';
import { PgRecordSetSource } from '#records/adapters/pg-record-set-source';
import { PgSetStatements } from '#records/adapters/pg-set-statements';
import { NOTARY, RecordExchangeModule } from '#standing/adapters/standing.module';
import { RecordSetsController } from './record-sets.controller.js';
import { SetBudget } from './set-budget.js';
import { SetStatementsController } from './set-statements.controller.js';

/** Comparing records with partners and agreeing on them. Needs `PartnersModule`. */
@Module({
  imports: [RecordExchangeModule],
  controllers: [RecordSetsController, SetStatementsController],
  providers: [
    {
      provide: RecordSets,
      inject: [Database],
      useFactory: (database: Database) => new RecordSets(new PgRecordSetSource(database), () => pause()),
    },
    { provide: PgSetStatements, inject: [Database], useFactory: (database: Database) => new PgSetStatements(database) },
    { provide: SetBudget, inject: [Database], useFactory: (database: Database) => new SetBudget(database) },
    {
      provide: AgreeOnSet,
      inject: [RecordSets, PgSetStatements, NOTARY, CLOCK],
      useFactory: (sets: RecordSets, store: PgSetStatements, notary: SetNotary, clock: Clock) =>
        new AgreeOnSet(sets, store, notary, { crypto: nodeCrypto, pause: () => pause(), clock }),
    },
  ],
})
export class RecordSetsModule {}

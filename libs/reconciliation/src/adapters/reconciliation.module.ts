import { randomBytes } from 'node:crypto';
import { type DynamicModule, Module } from '@nestjs/common';
import { PgPaymentFinder } from '#decisions/adapters/pg-payment-finder';
import { type Clock, uuidV7 } from '#kernel';
import { Database } from '#platform';
import { CLOCK } from '#platform/adapters/platform.module';
import { ReceiveStatement } from '../receive-statement.js';
import { ReconcileStatement } from '../reconcile-statement.js';
import type { ReconciliationStore } from '../store.js';
import { PgReconciliationStore } from './pg-reconciliation-store.js';

/** `ReconciliationStore` on PostgreSQL. */
export const RECONCILIATION_STORE = Symbol('RECONCILIATION_STORE');

/** Statements in, reconciliations out, over the payments that decisions confirmed. */
@Module({})
export class ReconciliationModule {
  static register(): DynamicModule {
    return {
      module: ReconciliationModule,
      providers: [
        { provide: RECONCILIATION_STORE, inject: [Database], useFactory: (database: Database) => new PgReconciliationStore(database) },
        {
          provide: ReceiveStatement,
          inject: [RECONCILIATION_STORE, CLOCK],
          useFactory: (store: ReconciliationStore, clock: Clock) =>
            new ReceiveStatement(store, clock, (at) => uuidV7(at.getTime(), randomBytes(10))),
        },
        {
          provide: ReconcileStatement,
          inject: [RECONCILIATION_STORE, Database, CLOCK],
          useFactory: (store: ReconciliationStore, database: Database, clock: Clock) =>
            new ReconcileStatement(store, new PgPaymentFinder(database), clock),
        },
      ],
      exports: [RECONCILIATION_STORE, ReceiveStatement, ReconcileStatement],
    };
  }
}

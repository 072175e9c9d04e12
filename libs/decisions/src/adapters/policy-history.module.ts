import { Module } from '@nestjs/common';
import { Database } from '#platform';
import { PolicyLife } from '#policies';
import { policyLife } from '#policies/adapters/pg-policies';
import { PgPolicyBook } from '#policies/adapters/pg-policy-book';
import { Backtests } from '../history/backtests.js';
import { Shadows } from '../history/shadows.js';
import { backtestDesk, shadowDesk } from './backtests.js';

/** Versions of the policy and what recorded history says of them, for the doors where people and services ask. */
@Module({
  providers: [
    { provide: PgPolicyBook, inject: [Database], useFactory: (database: Database) => new PgPolicyBook(database) },
    { provide: PolicyLife, inject: [Database], useFactory: policyLife },
    { provide: Shadows, inject: [Database], useFactory: shadowDesk },
    { provide: Backtests, inject: [Database], useFactory: backtestDesk },
  ],
  exports: [PgPolicyBook, PolicyLife, Shadows, Backtests],
})
export class PolicyHistoryModule {}

import { type DynamicModule, Module } from '@nestjs/common';
import type { Clock } from '#kernel';
import { Database } from '#platform';
import { CLOCK } from '#platform/adapters/platform.module';
import { ActivePolicyCache } from '#policies/adapters/active-policy-cache';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';
import { type AllowanceTerms, Allowances } from '../allowances.js';
import { Decider } from '../decide.js';
import { OpenAnswers } from '../open-answers.js';
import { Settler } from '../settle.js';
import { StandingCache } from '../standing-cache.js';
import { DecisionsModule } from './decisions.module.js';
import { NodeSources } from './node-sources.js';
import { PgAllowances } from './pg-allowances.js';
import { PgOpenAnswers } from './pg-open-answers.js';

/** What services may say yes to without us: allowances, beside the decider that reserves for them, and the report of open answers. */
@Module({})
export class AllowancesModule {
  static register(terms: AllowanceTerms): DynamicModule {
    return {
      module: AllowancesModule,
      imports: [DecisionsModule],
      providers: [
        {
          provide: Allowances,
          useFactory: (decider: Decider, settler: Settler, policies: ActivePolicyCache, database: Database, clock: Clock) => {
            const standings = new StandingCache(new PgStandingReader(database));
            const inputs = { policies, standings, sources: new NodeSources(clock), terms };
            return new Allowances(decider, settler, new PgAllowances(database), inputs);
          },
          inject: [Decider, Settler, ActivePolicyCache, Database, CLOCK],
        },
        {
          provide: OpenAnswers,
          useFactory: (decider: Decider, database: Database) => new OpenAnswers(decider, new PgOpenAnswers(database)),
          inject: [Decider, Database],
        },
      ],
      exports: [Allowances, OpenAnswers],
    };
  }
}

import { Module } from '@nestjs/common';
import type { Clock } from '#kernel';
import { Database } from '#platform';
import { CLOCK } from '#platform/adapters/platform.module';
import { ActivePolicyCache } from '#policies/adapters/active-policy-cache';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { PoliciesModule } from '#policies/adapters/policies.module';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';
import { Decider } from '../decide.js';
import { LinkedDecider } from '../decide-linked.js';
import { HeadroomFlow } from '../headroom.js';
import { SimulationFlow } from '../run-simulation.js';
import { Settler } from '../settle.js';
import { StandingCache } from '../standing-cache.js';
import { NodeSources } from './node-sources.js';
import { PgDecisionLedger } from './pg-decision-ledger.js';
import { PgLinkedGroups } from './pg-linked-groups.js';
import { PgReservations } from './pg-reservations.js';
import { PgSimulationCounters } from './pg-simulation-counters.js';

/** Everything decision-api needs to decide. */
@Module({
  imports: [PoliciesModule],
  providers: [
    { provide: NodeSources, useFactory: (clock: Clock) => new NodeSources(clock), inject: [CLOCK] },
    { provide: StandingCache, useFactory: (database: Database) => new StandingCache(new PgStandingReader(database)), inject: [Database] },
    { provide: PgDecisionLedger, useFactory: (database: Database) => new PgDecisionLedger(database), inject: [Database] },
    { provide: PgReservations, useFactory: (database: Database) => new PgReservations(database), inject: [Database] },
    {
      provide: Decider,
      useFactory: (policies: ActivePolicyCache, standings: StandingCache, ledger: PgDecisionLedger, sources: NodeSources) =>
        new Decider(policies, standings, ledger, sources),
      inject: [ActivePolicyCache, StandingCache, PgDecisionLedger, NodeSources],
    },
    {
      provide: LinkedDecider,
      useFactory: (policies: ActivePolicyCache, standings: StandingCache, database: Database, sources: NodeSources) =>
        new LinkedDecider(policies, standings, new PgLinkedGroups(database), sources),
      inject: [ActivePolicyCache, StandingCache, Database, NodeSources],
    },
    {
      provide: SimulationFlow,
      useFactory: (active: ActivePolicyCache, policies: PgPolicies, database: Database, clock: Clock) => {
        const versions = {
          current: () => active.current(),
          reload: () => active.reload(),
          find: (version: bigint) => policies.find(version),
        };
        return new SimulationFlow(versions, new PgStandingReader(database), new PgSimulationCounters(database), clock);
      },
      inject: [ActivePolicyCache, PgPolicies, Database, CLOCK],
    },
    {
      provide: HeadroomFlow,
      useFactory: (policies: ActivePolicyCache, standings: StandingCache, ledger: PgDecisionLedger, sources: NodeSources) =>
        new HeadroomFlow(policies, standings, ledger, sources),
      inject: [ActivePolicyCache, StandingCache, PgDecisionLedger, NodeSources],
    },
    { provide: Settler, useFactory: (reservations: PgReservations) => new Settler(reservations), inject: [PgReservations] },
  ],
  exports: [PoliciesModule, NodeSources, Decider, LinkedDecider, SimulationFlow, HeadroomFlow, Settler, PgDecisionLedger, PgReservations],
})
export class DecisionsModule {}

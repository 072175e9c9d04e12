import { type Clock, type ShardedId, systemClock } from '#kernel';
import type { Database } from '#platform';
import { ActivePolicyCache } from '#policies/adapters/active-policy-cache';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';
import { NodeSources } from '../adapters/node-sources.js';
import { PgDecisionLedger } from '../adapters/pg-decision-ledger.js';
import { PgLinkedGroups } from '../adapters/pg-linked-groups.js';
import { PgReservations } from '../adapters/pg-reservations.js';
import { Decider } from '../decide.js';
import { LinkedDecider } from '../decide-linked.js';
import type { DecisionRequest } from '../decision.js';
import { HeadroomFlow } from '../headroom.js';
import { Settler } from '../settle.js';
import { StandingCache } from '../standing-cache.js';

/** A decider on a real database, as one process has it; make several to have several processes. */
export async function liveDecider(database: Database, clock: Clock = systemClock) {
  const policies = new PgPolicies(database);
  const active = new ActivePolicyCache(policies);
  await active.reload();
  const standings = new StandingCache(new PgStandingReader(database));
  const ledger = new PgDecisionLedger(database);
  const sources = new NodeSources(clock);
  const reservations = new PgReservations(database);
  return {
    policies,
    active,
    ledger,
    sources,
    decider: new Decider(active, standings, ledger, sources),
    linked: new LinkedDecider(active, standings, new PgLinkedGroups(database), sources),
    headroom: new HeadroomFlow(active, standings, ledger, sources),
    settler: new Settler(reservations),
    reservations,
  };
}

export function requestOf(subject: ShardedId, change: Partial<DecisionRequest> & { minor?: bigint } = {}): DecisionRequest {
  const { minor = 10_000n, ...rest } = change;
  return {
    subject,
    service: 'checkout',
    money: { minor, currency: 'CNY' },
    mode: 'RESERVE',
    counterparty: undefined,
    channel: undefined,
    holdSeconds: 900,
    paymentReference: undefined,
    ...rest,
  };
}

import type { DecisionLimit, DecisionReason, Outcome } from '#contract';
import type { ShardedId } from '#kernel';
import { type ActivePolicy, evaluate } from '#policies';
import type { DecisionSources } from './decide.js';
import { evaluationRoundsMax } from './decide.js';
import { unsettled } from './codes.js';
import { type DecisionItem, readUsage } from './decision.js';
import { detailsOf, limitsOf, namedAtDoors } from './details.js';
import type { StandingCache } from './standing-cache.js';
import type { DecisionLedger } from './store.js';

export interface ServiceHeadroom {
  readonly service: string;
  readonly mode: string;
  /** What the smallest amount would be answered, counters aside. */
  readonly outcome: Outcome;
  readonly reasons: readonly DecisionReason[];
  readonly limits: readonly DecisionLimit[];
}

export interface Headroom {
  readonly tier: string;
  readonly score: { readonly value: number; readonly version: string };
  readonly policy: { readonly id: string; readonly version: string; readonly hash: string };
  readonly services: readonly ServiceHeadroom[];
  readonly at: string;
}

/** Says how much a subject could still spend, where. Changes nothing. */
export class HeadroomFlow {
  constructor(
    private readonly policies: ActivePolicy,
    private readonly standings: StandingCache,
    private readonly ledger: DecisionLedger,
    private readonly sources: DecisionSources,
  ) {}

  /** Refuses 404 `subject.unknown` and 503 `decision.unsettled`. */
  async of(subject: ShardedId): Promise<Headroom> {
    let at = this.sources.now();
    for (let round = 0; round < evaluationRoundsMax; round++) {
      const seen = await this.look(subject, at);
      if ('services' in seen) return seen;
      at = seen.at;
      await this.policies.reload();
    }
    throw unsettled();
  }

  private async look(subject: ShardedId, at: Date): Promise<Headroom | { readonly at: Date }> {
    const policy = this.policies.current();
    const standing = await this.standings.load(subject);
    const asks = [...policy.services.values()].map((service) => {
      const request = { ...NOTHING_SPECIAL, subject, service: service.name, money: { minor: 1n, currency: policy.currency } };
      const evaluation = evaluate(standing, policy, request, at);
      const item: DecisionItem = {
        decision: subject,
        ask: { caller: '', key: undefined, request },
        digest: new Uint8Array(),
        evaluation,
        policyVersion: policy.version,
        standingVersion: standing.version,
        holdSeconds: undefined,
        salt: '',
        details: '',
      };
      return { service, item, details: detailsOf(request, evaluation, policy, standing) };
    });
    const sightings = await this.ledger.inspect(asks.map(({ item }) => item));
    const stale = sightings.find(({ verdict }) => verdict === 'STALE');
    if (stale) return { at: stale.at };
    const services = asks.map(({ service, details }, i): ServiceHeadroom => {
      const sighting = sightings[i]!;
      const counters = sighting.verdict === 'SEEN' ? readUsage(sighting.usage) : [];
      const { computed: outcome } = details;
      const reasons = namedAtDoors(details.reasons, details.restrictions, subject.shard);
      return { service: service.name, mode: service.mode, outcome, reasons, limits: limitsOf(details, counters) };
    });
    const { tier, score, policy: told } = asks[0]!.details;
    return { tier, score, policy: told, services, at: sightings[0]!.at.toISOString() };
  }
}

const NOTHING_SPECIAL = {
  mode: 'EVALUATE',
  counterparty: undefined,
  channel: undefined,
  holdSeconds: 0,
  paymentReference: undefined,
} as const;

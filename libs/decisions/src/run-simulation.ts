import { holdSecondsDefault, type SimulationAnswer, type WireSimulationRequest } from '#contract';
import { type Clock, parseId, parseMoney, Refusal, type ShardedId } from '#kernel';
import type { ActivePolicy, Cap, Policy } from '#policies';
import type { StandingReader } from '#standing';
import { subjectUnknown } from './codes.js';
import type { CounterState, DecisionRequest } from './decision.js';
import { NO_SUBJECT, simulate, supposeStanding } from './simulation.js';

/** Reads what a subject has spent and on hold as it would count at a moment. Writes nothing, holds no lock. */
export interface CounterReader {
  load(subject: ShardedId, at: Date): Promise<(caps: readonly Cap[], minor: bigint) => readonly CounterState[]>;
}

export interface PolicyVersions {
  find(version: bigint): Promise<Policy | undefined>;
}

/** Answers "what would be decided, if": reads, evaluates, and forgets. */
export class SimulationFlow {
  constructor(
    private readonly policies: ActivePolicy & PolicyVersions,
    private readonly standings: StandingReader,
    private readonly counters: CounterReader,
    private readonly clock: Clock,
  ) {}

  /** Refuses what `simulate` and `supposeStanding` refuse, 404 `subject.unknown` and `policy.unknown`, 503 `policy.none`. */
  async run(wire: WireSimulationRequest): Promise<SimulationAnswer> {
    const { suppose = {} } = wire;
    const subject = wire.subject === undefined ? undefined : parseId('sub', wire.subject, '/subject');
    const request = requestOf(wire, subject ?? NO_SUBJECT);
    const at = suppose.at === undefined ? this.clock.now() : new Date(suppose.at);
    const policy = await this.policyOf(suppose);
    const known = subject && (await this.standings.load([subject]))[0];
    if (subject && !known) throw subjectUnknown();
    const scene = { policy, standing: supposeStanding(known, policy, suppose), at };
    const look = await this.counters.load(request.subject, at);
    return simulate(scene, request, suppose, (caps) => look(caps, request.money.minor));
  }

  /** A supposed moment gets a policy of its own: the active one remembers the windows of now. */
  private async policyOf({ policyVersion, at }: NonNullable<WireSimulationRequest['suppose']>): Promise<Policy> {
    const active = this.policies.current();
    if (policyVersion === undefined && at === undefined) return active;
    const found = await this.policies.find(policyVersion === undefined ? active.version : BigInt(policyVersion));
    if (!found)
      throw new Refusal('not_found', 'policy.unknown', 'there is no such version of the policy', { field: '/suppose/policyVersion' });
    return found;
  }
}

function requestOf(wire: WireSimulationRequest, subject: ShardedId): DecisionRequest {
  const { service, counterparty, channel, holdSeconds = holdSecondsDefault } = wire;
  const money = parseMoney(wire.amount, '/amount/amount');
  return { subject, service, money, mode: 'RESERVE', counterparty, channel, holdSeconds, paymentReference: undefined };
}

import { parseId, type Refusal, type ShardedId } from '#kernel';
import type { ActivePolicy } from '#policies';
import { allowanceCaller, type Allowance, type AllowanceKnown } from './allowance.js';
import { allowanceOvertaken, allowanceTooFine, allowanceTooLong, allowanceUnknown } from './allowance-codes.js';
import type { AllowanceDraft, AllowanceSettlementAsk, AllowanceStore, Settled } from './allowance-store.js';
import { keyReused, unsettled } from './codes.js';
import { type Decider, type DecisionSources, evaluationRoundsMax } from './decide.js';
import type { Decided } from './decision-row.js';
import type { DecisionRequest } from './decision.js';
import { prepareItem } from './prepare-item.js';
import type { Settler } from './settle.js';
import type { StandingCache } from './standing-cache.js';

export interface AllowanceAsk {
  readonly holder: string;
  readonly key: string;
  /** Mode RESERVE, without a payment reference: every part has its own. Its seconds of hold are set here. */
  readonly request: Omit<DecisionRequest, 'mode' | 'holdSeconds' | 'paymentReference'>;
  readonly spends: number;
  readonly seconds: number;
}

export interface AllowanceTerms {
  readonly secondsMax: number;
  /** How long the hold outlives the allowance. */
  readonly graceSeconds: number;
}

export interface Issued {
  readonly decided: Decided;
  /** Absent: the decision was not ALLOW. */
  readonly allowance: Allowance | undefined;
}

/** Where the evaluation's inputs come from; the decider's own. */
export interface AllowanceSources {
  readonly policies: ActivePolicy;
  readonly standings: StandingCache;
  readonly sources: DecisionSources;
}

/**
 * Issues and settles allowances. Issuing is a RESERVE decision through the decider, so everything spent later was reserved before: exposure is
 * bounded by what is held. Nothing about an allowance is decided while it is spent; a restriction imposed meanwhile stops the next one.
 */
export class Allowances {
  constructor(
    private readonly decider: Decider,
    private readonly settler: Settler,
    private readonly store: AllowanceStore,
    private readonly inputs: AllowanceSources & { readonly terms: AllowanceTerms },
  ) {}

  /**
   * The same key gives the same allowance. Refuses what `decide` refuses, 422 `allowance.too_long` and `allowance.too_fine`, 409
   * `allowance.overtaken`.
   */
  async issue(ask: AllowanceAsk): Promise<Issued> {
    const { secondsMax, graceSeconds } = this.inputs.terms;
    if (ask.seconds > secondsMax) throw allowanceTooLong(secondsMax);
    if (BigInt(ask.spends) > ask.request.money.minor && ask.request.money.minor > 0n) throw allowanceTooFine();
    const request: DecisionRequest = {
      ...ask.request,
      mode: 'RESERVE',
      holdSeconds: ask.seconds + graceSeconds,
      paymentReference: undefined,
    };
    const decided = await this.decider.decide({ caller: allowanceCaller(ask.holder), key: ask.key, request });
    const { outcome, reservation, decidedAt } = decided.answer;
    if (!reservation) return { decided, allowance: undefined };
    const id = parseId('rsv', reservation.id);
    if (outcome !== 'ALLOW') {
      await this.release(id, ask.holder);
      return { decided, allowance: undefined };
    }
    const issuedAt = new Date(decidedAt);
    const expiresAt = new Date(issuedAt.getTime() + ask.seconds * 1000);
    const times = { issuedAt, expiresAt, holdUntil: new Date(reservation.expiresAt) };
    return { decided, allowance: await this.open(ask, request, { id, holder: ask.holder, spendsAsked: ask.spends, ...times }) };
  }

  /** Refuses 404 `allowance.unknown` (also another holder's) and 422 `currency.unsupported`. */
  async settle(ask: AllowanceSettlementAsk): Promise<Settled> {
    return await this.store.settle(ask);
  }

  /** Refuses 404 `allowance.unknown` (also another holder's). */
  async find(id: ShardedId, holder: string): Promise<{ readonly known: AllowanceKnown; readonly at: Date }> {
    const found = await this.store.find(id);
    if (found?.known.allowance.holder !== holder) throw allowanceUnknown();
    return found;
  }

  private async open(ask: AllowanceAsk, request: DecisionRequest, draft: Omit<AllowanceDraft, 'item'>): Promise<Allowance> {
    const { policies, standings, sources } = this.inputs;
    let at = sources.now();
    for (let round = 0; round < evaluationRoundsMax; round++) {
      const known = { policy: policies.current(), standing: await standings.load(request.subject), at };
      const { item } = prepareItem({ caller: draft.holder, key: undefined, request }, new Uint8Array(), known, sources);
      const opening = await this.store.open({ ...draft, item });
      if (opening.verdict === 'OPEN') return sameAsk(opening.allowance, ask);
      if (opening.verdict === 'OVERTAKEN') throw allowanceOvertaken();
      at = opening.at;
      await policies.reload();
    }
    throw unsettled();
  }

  private async release(reservation: ShardedId, holder: string): Promise<void> {
    const ask = { caller: allowanceCaller(holder), reservation, settlement: { kind: 'release' }, key: undefined } as const;
    // Released or run out before: free either way.
    await this.settler.settle(ask).catch((error: Refusal) => {
      if (error.kind !== 'conflict') throw error;
    });
  }
}

/** The decision's key is bound to amount and time, not to the number of parts. */
function sameAsk(allowance: Allowance, { spends }: AllowanceAsk): Allowance {
  if (allowance.spendsAsked !== spends) throw keyReused();
  return allowance;
}

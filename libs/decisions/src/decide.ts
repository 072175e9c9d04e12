import { Batcher, type Clock, Refusal, type ShardedId } from '#kernel';
import type { ActivePolicy } from '#policies';
import { keyMissing, referenceTaken, unsettled } from './codes.js';
import { type DecisionAsk, type DecisionItem, type DecisionRow, isAnyBroken, type Ruling, type Sighting } from './decision.js';
import { composeAnswer, type DecisionDetails } from './details.js';
import { type Decided, replayOf } from './decision-row.js';
import { inputText } from './input-text.js';
import { KeysInFlight } from './keys-in-flight.js';
import { type Known, type Prepared, prepareItem, prepareLook } from './prepare-item.js';
import type { StandingCache } from './standing-cache.js';
import type { DecisionLedger } from './store.js';

export const evaluationRoundsMax = 3;

/** More in flight would only wait for each other's head rows; a larger batch answers later. */
export const RESERVE_LIMITS = { itemsMax: 256, inFlightMax: 2, queueItemsMax: 8_000, waitMsMax: 500 };
const INSPECT_LIMITS = { itemsMax: 256, inFlightMax: 2, queueItemsMax: 8_000, waitMsMax: 500 };

/** Time, randomness and hashing, handed in (rule 5). */
export interface DecisionSources extends Clock {
  newDecisionId(subject: ShardedId, at: Date): ShardedId;
  /** A random UUID (version 4). */
  newSalt(): string;
  /** SHA-256. */
  digest(text: string): Uint8Array;
}

/** Answers "may this subject do this, now, for this amount": evaluate in memory, then let the ledger judge and save in a batch. */
export class Decider {
  private readonly reservations: Batcher<DecisionItem, Ruling>;
  private readonly inspections: Batcher<DecisionItem, Sighting>;
  private readonly keys = new KeysInFlight<Decided>();

  constructor(
    private readonly policies: ActivePolicy,
    private readonly standings: StandingCache,
    private readonly ledger: DecisionLedger,
    private readonly sources: DecisionSources,
  ) {
    this.reservations = new Batcher(
      { send: (items) => ledger.reserve(items), lookUp: (items) => ledger.findDecided(items) },
      RESERVE_LIMITS,
    );
    const inspect = (items: readonly DecisionItem[]) => ledger.inspect(items);
    this.inspections = new Batcher({ send: inspect, lookUp: inspect }, INSPECT_LIMITS);
  }

  /**
   * Refuses what `evaluate` refuses, 404 `subject.unknown`, 400 `idempotency.key_missing` (RESERVE), 422 `idempotency.key_reused`,
   * 409 `idempotency.in_flight` and `payment_reference.taken`, 503 `overloaded`, `outcome.unknown` and `decision.unsettled`.
   */
  decide(ask: DecisionAsk): Promise<Decided> {
    // A key protects an effect; EVALUATE has none, and its answer is always today's.
    if (ask.request.mode === 'EVALUATE') return this.settle({ caller: ask.caller, key: undefined, request: ask.request });
    const digest = this.digestOf(ask);
    if (ask.key === undefined) return Promise.reject(keyMissing());
    const name = `${ask.caller}\n${ask.request.subject.uuid}\n${ask.key}`;
    return this.keys.run(name, digest, () => this.settle(ask, digest));
  }

  private async settle(ask: DecisionAsk, digest?: Uint8Array): Promise<Decided> {
    const { subject } = ask.request;
    let known: Known = {
      policy: this.policies.current(),
      standing: this.standings.find(subject) ?? (await this.standings.load(subject)),
      at: this.sources.now(),
    };
    for (let round = 0; round < evaluationRoundsMax; round++) {
      const prepared = this.prepare(ask, digest, known);
      if (prepared instanceof Promise) return await prepared;
      const { details } = prepared;
      let { item } = prepared;
      let ruling = await (looksOnly(details) ? this.inspections.submit(item) : this.reservations.submit(item));
      if (ruling.verdict === 'SEEN' && isAnyBroken(ruling.usage)) {
        // Adverse after all, and so recorded.
        item = this.itemOf(ask, digest, known).item;
        ruling = await this.reservations.submit(item);
      }
      switch (ruling.verdict) {
        case 'SEEN':
        case 'DECIDED': {
          const decision = ruling.verdict === 'DECIDED' ? item.decision : undefined;
          return { answer: composeAnswer(details, { decision, at: ruling.at, usage: ruling.usage }, subject.shard), replayed: false };
        }
        case 'KNOWN':
          return await this.replay(ask, digest ?? this.digestOf(ask));
        case 'REFERENCE':
          throw referenceTaken();
        case 'STALE':
          known = await this.refresh(subject, known, ruling);
      }
    }
    throw unsettled();
  }

  private prepare(ask: DecisionAsk, digest: Uint8Array | undefined, known: Known): Prepared | Promise<Decided> {
    try {
      return (ask.request.mode === 'EVALUATE' && prepareLook(ask, known)) || this.itemOf(ask, digest, known);
    } catch (error) {
      return this.decidedBefore(ask, digest ?? this.digestOf(ask), error);
    }
  }

  private itemOf(ask: DecisionAsk, digest: Uint8Array | undefined, known: Known): Prepared {
    return prepareItem(ask, digest ?? this.digestOf(ask), known, this.sources);
  }

  /** An input that today's policy refuses may still have been answered under yesterday's: its key is looked up first. */
  private async decidedBefore(ask: DecisionAsk, digest: Uint8Array, error: unknown): Promise<Decided> {
    const row = error instanceof Refusal ? await this.findRow(ask) : undefined;
    if (!row) throw error;
    return replayOf(row, digest);
  }

  private async refresh(subject: ShardedId, known: Known, stale: { policyVersion: bigint; at: Date }): Promise<Known> {
    const [policy, standing] = await Promise.all([
      stale.policyVersion === known.policy.version ? known.policy : this.policies.reload(),
      this.standings.load(subject),
    ]);
    return { policy, standing, at: stale.at };
  }

  private async replay(ask: DecisionAsk, digest: Uint8Array): Promise<Decided> {
    const row = await this.findRow(ask);
    if (!row) throw unsettled();
    return replayOf(row, digest);
  }

  private async findRow({ caller, key, request: { subject } }: DecisionAsk): Promise<DecisionRow | undefined> {
    return key === undefined ? undefined : await this.ledger.findByKey({ subject, caller, key });
  }

  private digestOf({ request }: DecisionAsk): Uint8Array {
    return this.sources.digest(inputText(request));
  }
}

/**
 * RESERVE goes to the ledger. EVALUATE only looks, unless the answer is adverse: an adverse answer is recorded, so that the subject can
 * ask why later. An EVALUATE that ends in ALLOW promises and takes nothing, and leaves nothing.
 */
function looksOnly({ mode, computed }: DecisionDetails): boolean {
  return mode === 'EVALUATE' && computed === 'ALLOW';
}

import type { LinkedAnswer } from '#contract';
import { Batcher, Refusal } from '#kernel';
import type { ActivePolicy } from '#policies';
import { keyReused, referenceTaken, unsettled } from './codes.js';
import { type DecisionSources, evaluationRoundsMax } from './decide.js';
import { type DecisionRequest, sameDigest } from './decision.js';
import { inputText } from './input-text.js';
import { KeysInFlight } from './keys-in-flight.js';
import {
  type LinkedAsk,
  type LinkedGroup,
  type LinkedLedger,
  type LinkedRow,
  type LinkedRuling,
  linkedText,
  tellRefusals,
} from './linked.js';
import { type Known, type Prepared, prepareItem } from './prepare-item.js';
import type { StandingCache } from './standing-cache.js';
import type { DecisionKey } from './store.js';

/** Every group is a transaction of its own. */
const LINKED_LIMITS = { itemsMax: 1, inFlightMax: 2, queueItemsMax: 500 };

export interface LinkedDecided {
  readonly answer: LinkedAnswer;
  readonly replayed: boolean;
}

/** Reserves several decisions of one subject, all or none. */
export class LinkedDecider {
  private readonly groups: Batcher<LinkedGroup, LinkedRuling>;
  private readonly keys = new KeysInFlight<LinkedDecided>();

  constructor(
    private readonly policies: ActivePolicy,
    private readonly standings: StandingCache,
    private readonly ledger: LinkedLedger,
    private readonly sources: DecisionSources,
  ) {
    const send = async (groups: readonly LinkedGroup[]) => [await ledger.reserveAll(groups[0]!)];
    const lookUp = async (groups: readonly LinkedGroup[]) => {
      const row = await ledger.findSettled(groups[0]!);
      return [row && ({ verdict: 'KNOWN', row } as const)];
    };
    this.groups = new Batcher({ send, lookUp }, LINKED_LIMITS);
  }

  /**
   * A refused group is an answer. One that an item's input cannot join (unknown service, other currency, payment reference taken) is not
   * remembered, as such a single call is not. Refuses 404 `subject.unknown`, 422 `idempotency.key_reused`, 409 `idempotency.in_flight`, 503
   * `overloaded`, `outcome.unknown` and `decision.unsettled`.
   */
  async decide(ask: LinkedAsk): Promise<LinkedDecided> {
    const digest = this.sources.digest(linkedText(ask));
    const name = `${ask.caller}\n${ask.subject.uuid}\n${ask.key}`;
    return await this.keys.run(name, digest, () => this.settle(ask, digest));
  }

  /** The answer of a caller's own group; undefined where none is remembered. */
  async find(key: DecisionKey): Promise<LinkedAnswer | undefined> {
    return (await this.ledger.find(key))?.answer;
  }

  private async settle(ask: LinkedAsk, digest: Uint8Array): Promise<LinkedDecided> {
    const { subject, caller, key } = ask;
    let known: Known = {
      policy: this.policies.current(),
      standing: this.standings.find(subject) ?? (await this.standings.load(subject)),
      at: this.sources.now(),
    };
    for (let round = 0; round < evaluationRoundsMax; round++) {
      const prepared = ask.requests.map((request) => this.prepare(ask.caller, request, known));
      const refusals = new Map([...repeatedReferences(ask.requests), ...refusalsOf(prepared)]);
      if (refusals.size > 0) return await this.refuse(ask, digest, refusals);
      const items = prepared as Prepared[];
      const ruling = await this.groups.submit({ subject, caller, key, digest, items, salt: this.sources.newSalt() });
      switch (ruling.verdict) {
        case 'SAVED':
          return { answer: ruling.answer, replayed: false };
        case 'KNOWN':
          return replayOf(ruling.row, digest);
        case 'REFERENCE':
          return { answer: tellRefusals(items.length, new Map([...ruling.items].map((i) => [i, referenceTaken()]))), replayed: false };
        case 'STALE':
          known = await this.refresh(known, ruling);
      }
    }
    throw unsettled();
  }

  /** The items have no keys of their own: theirs is the group's. */
  private prepare(caller: string, request: DecisionRequest, known: Known): Prepared | Refusal {
    try {
      return prepareItem({ caller, key: undefined, request }, this.sources.digest(inputText(request)), known, this.sources);
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  /** What today's policy refuses may still have been answered under yesterday's. */
  private async refuse(ask: LinkedAsk, digest: Uint8Array, refusals: ReadonlyMap<number, Refusal>): Promise<LinkedDecided> {
    const row = await this.ledger.find(ask);
    return row ? replayOf(row, digest) : { answer: tellRefusals(ask.requests.length, refusals), replayed: false };
  }

  private async refresh(known: Known, stale: { policyVersion: bigint; at: Date }): Promise<Known> {
    const [policy, standing] = await Promise.all([
      stale.policyVersion === known.policy.version ? known.policy : this.policies.reload(),
      this.standings.load(known.standing.subject),
    ]);
    return { policy, standing, at: stale.at };
  }
}

function repeatedReferences(requests: readonly DecisionRequest[]): ReadonlyMap<number, Refusal> {
  const names = requests.map(({ service, paymentReference }) => paymentReference && `${service}\n${paymentReference}`);
  return new Map(names.flatMap((name, i) => (name && names.indexOf(name) < i ? [[i, referenceTaken()] as const] : [])));
}

function refusalsOf(prepared: readonly (Prepared | Refusal)[]): ReadonlyMap<number, Refusal> {
  return new Map(prepared.flatMap((one, i) => (one instanceof Refusal ? [[i, one] as const] : [])));
}

function replayOf({ digest: first, answer }: LinkedRow, digest: Uint8Array): LinkedDecided {
  if (!sameDigest(first, digest)) throw keyReused();
  return { answer, replayed: true };
}

import { Batcher, type Clock, type Facts, invariant, Refusal, type Verified } from '#kernel';
import type { RecordKind } from '#contract';
import { type NonceClaim, nonceReplayed } from '#partners';
import { acceptRecord, checkIssuer, equivocation, type ForceChange, identityOf, judgeClaim, namedBy, type RecordInForce } from '#records';
import type { RecordIdentity, SignedRecord } from '#records';
import { recordEnding } from './dispute/record-ending.js';
import type { LiftedWhy } from './imposed.js';
import { keepEvidence } from './keep-evidence.js';
import { linked, type LinkedSubject } from './linked-subject.js';
import { commitTo, type Notary } from './notary.js';
import { recordAccepted, signReceipt, storedRecord } from './record-receipt.js';
import { appendChange, judge, type Occasion } from './save-change.js';
import type { Books, Exchange, HeldSubject } from './store.js';
import { acceptTogether, isTakenTogether, type TogetherAnswer } from './together/accept-together.js';
import { lookUp } from './together/look-up.js';
import { type Arrival, type TogetherExchange, untilNamesAreFree } from './together/together-books.js';

export interface Accepted {
  /** A JWS of type `record-receipt+jwt`: always the first receipt that was given. */
  readonly receipt: string;
  readonly repeated: boolean;
}

const LIFTED_BY: Readonly<Partial<Record<RecordKind, LiftedWhy>>> = {
  clearance: 'CLEARED',
  withdrawal: 'WITHDRAWN',
  correction: 'CORRECTED',
};

/** One transaction takes no more records than this, and no more transactions than these are under way from one process. */
const LIMITS = { itemsMax: 64, inFlightMax: 2, queueItemsMax: 2_000, waitMsMax: 10_000 };

/**
 * Accepts records and judges their subjects anew. Those that come at the same time share a transaction: it leaves when one before has come back,
 * with whoever is there, and each gets the answer that it would have got alone. Nothing is answered before it is committed.
 */
export class AcceptRecord {
  private readonly batcher: Batcher<Arrival, TogetherAnswer>;
  /** Repetitions come in swarms: where there were some, the next ones are looked for before. */
  private asks = false;

  constructor(
    private readonly exchange: Exchange & TogetherExchange,
    private readonly notary: Notary,
    private readonly clock: Clock,
  ) {
    this.batcher = new Batcher({ send: (items) => this.together(items), lookUp: (items) => lookUp(exchange, items) }, LIMITS);
  }

  /**
   * `nonce`: of the request that brought it, spent in the transaction of its effect; a refusal spends it, too. Refuses 401 `nonce.replayed`,
   * 403 `record.issuer_mismatch`, 404 `link.unknown`, 409 `record.equivocation` (after the evidence is kept), `record.seq_reused`, what
   * `acceptRecord` refuses, and 503 `overloaded` and `outcome.unknown`.
   */
  async run(caller: string, incoming: Verified<SignedRecord>, nonce?: NonceClaim): Promise<Accepted> {
    checkIssuer(incoming.value.record, caller);
    const arrival = { incoming, nonce };
    const result = isTakenTogether(incoming.value) ? await this.batcher.submit(arrival) : await this.alone(arrival);
    // An equivocation is an answer only now, after its evidence was committed.
    if (result instanceof Error) throw result;
    return result;
  }

  private async together(arrivals: readonly Arrival[]): Promise<TogetherAnswer[]> {
    const { exchange, notary } = this;
    const at = this.clock.now();
    const accept = (asks: boolean) => exchange.together((books) => acceptTogether(books, arrivals, { notary, at, asks }));
    const answers = await untilNamesAreFree((again) => accept(again || this.asks));
    this.asks = answers.some((answer) => 'repeated' in answer && answer.repeated);
    return answers;
  }

  private async alone({ incoming, nonce }: Arrival): Promise<Accepted | Refusal> {
    const spend = async ({ claimNonce }: Books) => {
      if (nonce && !(await claimNonce(nonce))) throw nonceReplayed();
    };
    try {
      return await this.exchange.transaction(async (books) => {
        await spend(books);
        return await this.within(books, incoming);
      });
    } catch (error) {
      // Nothing of it was kept; but it was answered, so its nonce is good no more.
      if (error instanceof Refusal && error.code !== nonceReplayed().code) await this.exchange.transaction(spend);
      throw error;
    }
  }

  /** The same inside a transaction of the caller's. An equivocation is returned, not thrown: its evidence is to be committed. */
  async within(books: Books, incoming: Verified<SignedRecord>): Promise<Accepted | Refusal> {
    const identity = identityOf(incoming.value);
    const { claim, held } = await books.meet(identity);
    const met = judgeClaim(claim, identity);
    if (met === 'equivocation') {
      const facts = await keepEvidence(books.records, identity, incoming.received, this.clock.now(), this.notary);
      if (facts.length > 0) await books.facts.append(facts as unknown as Facts);
      return equivocation(identity);
    }
    if (met === 'repetition') return { receipt: await firstReceipt(books, identity), repeated: true };
    return { receipt: await this.accept(books, linked(held, identity), incoming), repeated: false };
  }

  private async accept(books: Books, held: LinkedSubject, incoming: Verified<SignedRecord>): Promise<string> {
    const at = this.clock.now();
    const { record } = incoming.value;
    const { subject, link, links, inForce, standing, ladder } = held;
    const effect = acceptRecord({ link, inForce, namedExists: await namedExists(books, incoming.value, held) }, incoming, at);
    const { iss, jti } = record;
    const occasion: Occasion = { at, why: LIFTED_BY[record.kind] ?? 'CORRECTED', ladder, cause: { iss, jti }, untold: [iss] };
    const ending = await recordEnding(books, held, record, effect, at, this.notary);
    const judgement = judge(standing, { records: afterwards(inForce, effect), links, disputes: ending?.disputes }, occasion, this.notary);
    const commitment = commitTo(this.notary, incoming.value.payloadBytes);
    const accepted = recordAccepted(held, incoming.value, commitment, at);
    const first = { ...accepted, notices: [...(ending?.notices ?? []), ...accepted.notices] };
    const { positions, saving } = await appendChange(books, first, ending?.after(judgement) ?? judgement, occasion, this.notary);
    const [position] = positions;
    const receipt = await signReceipt(this.notary, incoming.value, commitment, position);
    await books.saveAccepted({ standing: saving, force: effect, record: storedRecord(incoming, subject, position, { receipt }) });
    await ending?.save(positions, saving.events);
    return receipt;
  }
}

async function firstReceipt({ records }: Books, { iss, jti }: RecordIdentity): Promise<string> {
  const receipt = (await records.receiptsOf(iss, [jti])).get(jti);
  invariant(receipt !== undefined, 'an accepted identity has its record');
  return receipt;
}

/** Looked up only where what is named does not count any more. */
async function namedExists({ records }: Books, { record }: SignedRecord, { subject, inForce }: HeldSubject): Promise<boolean> {
  const names = namedBy(record);
  if (names === undefined) return false;
  if (inForce.some(({ iss, jti }) => iss === record.iss && jti === names)) return true;
  return (await records.find(record.iss, names))?.subject.uuid === subject.id.uuid;
}

function afterwards(inForce: readonly RecordInForce[], { removed, added }: ForceChange): RecordInForce[] {
  return [...inForce.filter((record) => record !== removed), ...(added ? [added] : [])];
}

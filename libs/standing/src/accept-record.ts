import { type Clock, invariant, Refusal, shardOf, type Verified } from '#kernel';
import type { RecordKind } from '#contract';
import { acceptRecord, checkIssuer, equivocation, type ForceChange, identityOf, judgeClaim, namedBy, type RecordInForce } from '#records';
import type { RecordIdentity, SignedRecord } from '#records';
import type { Link, Subject } from '#consents';
import type { LiftedWhy } from './ladder.js';
import { commitTo, type Notary } from './notary.js';
import { acceptedFact, signReceipt, storedRecord } from './record-receipt.js';
import { judge, type Occasion, saveChange } from './save-change.js';
import type { Books, Exchange } from './store.js';

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

/** Accepts one record and judges its subject anew, in one transaction. */
export class AcceptRecord {
  constructor(
    private readonly exchange: Exchange,
    private readonly notary: Notary,
    private readonly clock: Clock,
  ) {}

  /**
   * Refuses 403 `record.issuer_mismatch`, 404 `link.unknown`, 409 `record.equivocation` (after the evidence is kept),
   * `record.seq_reused`, and what `acceptRecord` refuses.
   */
  async run(caller: string, incoming: Verified<SignedRecord>): Promise<Accepted> {
    checkIssuer(incoming.value.record, caller);
    const result = await this.exchange.transaction((books) => this.within(books, incoming));
    // An equivocation is an answer only now, after its evidence was committed.
    if (result instanceof Refusal) throw result;
    return result;
  }

  /** The same inside a transaction of the caller's. An equivocation is returned, not thrown: its evidence is to be committed. */
  async within(books: Books, incoming: Verified<SignedRecord>): Promise<Accepted | Refusal> {
    const identity = identityOf(incoming.value);
    const met = judgeClaim(await books.records.claim(identity), identity);
    if (met === 'equivocation') return this.keepEvidence(books, identity, incoming.received);
    if (met === 'repetition') return { receipt: await firstReceipt(books, identity), repeated: true };
    return { receipt: await this.accept(books, incoming), repeated: false };
  }

  private async accept(books: Books, incoming: Verified<SignedRecord>): Promise<string> {
    const at = this.clock.now();
    const { record } = incoming.value;
    const { subject, link, links, inForce } = await knownOf(books, identityOf(incoming.value));
    const effect = acceptRecord({ link, inForce, namedExists: await namedExists(books, incoming.value, subject) }, incoming, at);
    const standing = await books.standings.load(subject.id);
    invariant(standing, 'every subject has a standing');
    const occasion: Occasion = { at, why: LIFTED_BY[record.kind] ?? 'CORRECTED', cause: { iss: record.iss, jti: record.jti } };
    const judgement = judge(standing, { records: afterwards(inForce, effect), links }, occasion, this.notary);
    const commitment = commitTo(this.notary, incoming.value.payloadBytes);
    const first = { fact: acceptedFact(subject, record, commitment), notices: [] };
    const position = await saveChange(books, first, judgement, occasion, this.notary);
    await books.records.changeForce(subject.id, effect);
    if (inForce.some(({ validUntil }) => validUntil <= at)) await books.records.dropExpired(subject.id, at);
    const receipt = signReceipt(this.notary, incoming.value, commitment, position);
    await books.records.keep(storedRecord(incoming, subject, position, receipt));
    return receipt;
  }

  private async keepEvidence(books: Books, identity: RecordIdentity, received: Uint8Array): Promise<Refusal> {
    if (await books.records.keepEquivocation(identity, received, this.clock.now())) {
      const { commitment } = commitTo(this.notary, received);
      await books.facts.append([
        { shard: shardOf(identity.iss), kind: 'record.equivocated', participant: identity.iss, body: { commitment } },
      ]);
    }
    return equivocation(identity);
  }
}

async function firstReceipt({ records }: Books, { iss, jti }: RecordIdentity): Promise<string> {
  const first = await records.find(iss, jti);
  invariant(first, 'an accepted identity has its record');
  return first.receipt;
}

/** Holds the subject from here on: what is read next stays true to the end of the transaction. */
async function knownOf({ consents, records }: Books, { iss, ref }: RecordIdentity) {
  const subject = await consents.holdSubjectOf(ref);
  const links = subject ? await consents.linksOf(subject.id) : [];
  const link = links.find((one: Link) => one.ref.uuid === ref.uuid);
  // Another participant's link is as unknown as one that does not exist.
  if (!subject || link?.participant !== iss) {
    throw new Refusal('not_found', 'link.unknown', 'you have no link of this reference', { field: '/sub' });
  }
  return { subject, link, links, inForce: await records.inForce(subject.id) };
}

async function namedExists({ records }: Books, { record }: SignedRecord, subject: Subject): Promise<boolean> {
  const names = namedBy(record);
  const named = names === undefined ? undefined : await records.find(record.iss, names);
  return named?.subject.uuid === subject.id.uuid;
}

function afterwards(inForce: readonly RecordInForce[], { removed, added }: ForceChange): RecordInForce[] {
  return [...inForce.filter((record) => record !== removed), ...(added ? [added] : [])];
}

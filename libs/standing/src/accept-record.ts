import { type Clock, invariant, Refusal, shardOf, type Verified } from '#kernel';
import type { RecordKind } from '#contract';
import { acceptRecord, checkIssuer, equivocation, type ForceChange, identityOf, judgeClaim, namedBy, type RecordInForce } from '#records';
import type { RecordIdentity, SignedRecord } from '#records';
import type { Link } from '#consents';
import type { LiftedWhy } from './imposed.js';
import { commitTo, type Notary } from './notary.js';
import { acceptedFact, signReceipt, storedRecord } from './record-receipt.js';
import { appendChange, judge, type Occasion } from './save-change.js';
import type { Books, Exchange, HeldSubject } from './store.js';

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
    const { claim, held } = await books.meet(identity);
    const met = judgeClaim(claim, identity);
    if (met === 'equivocation') return this.keepEvidence(books, identity, incoming.received);
    if (met === 'repetition') return { receipt: await firstReceipt(books, identity), repeated: true };
    return { receipt: await this.accept(books, linked(held, identity), incoming), repeated: false };
  }

  private async accept(books: Books, held: LinkedSubject, incoming: Verified<SignedRecord>): Promise<string> {
    const at = this.clock.now();
    const { record } = incoming.value;
    const { subject, link, links, inForce, standing, ladder } = held;
    const effect = acceptRecord({ link, inForce, namedExists: await namedExists(books, incoming.value, held) }, incoming, at);
    const occasion: Occasion = { at, why: LIFTED_BY[record.kind] ?? 'CORRECTED', ladder, cause: { iss: record.iss, jti: record.jti } };
    const judgement = judge(standing, { records: afterwards(inForce, effect), links }, occasion, this.notary);
    const commitment = commitTo(this.notary, incoming.value.payloadBytes);
    const first = { fact: acceptedFact(subject, incoming.value, commitment), notices: [] };
    const { positions, saving } = await appendChange(books, first, judgement, occasion, this.notary);
    const [position] = positions;
    const receipt = signReceipt(this.notary, incoming.value, commitment, position);
    await books.saveAccepted({ standing: saving, force: effect, record: storedRecord(incoming, subject, position, receipt) });
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

interface LinkedSubject extends HeldSubject {
  readonly link: Link;
}

/** Another participant's link is as unknown as one that does not exist. */
function linked(held: HeldSubject | undefined, { iss, ref }: RecordIdentity): LinkedSubject {
  const link = held?.links.find((one) => one.ref.uuid === ref.uuid);
  if (held && link?.participant === iss) return { ...held, link };
  throw new Refusal('not_found', 'link.unknown', 'you have no link of this reference', { field: '/sub' });
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

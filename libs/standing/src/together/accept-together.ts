import { type Fact, type FactPosition, type Facts, invariant, Refusal, type ShardedId, type Verified } from '#kernel';
import { nonceReplayed } from '#partners';
import { acceptRecord, equivocation, identityOf, namedBy, type RecordIdentity, type RecordInForce, type SignedRecord } from '#records';
import type { Happening } from '../event.js';
import { keepEvidence } from '../keep-evidence.js';
import { linked } from '../linked-subject.js';
import { commitTo, type Commitment, type Notary } from '../notary.js';
import { recordAccepted, signReceipt, storedRecord } from '../record-receipt.js';
import { factsOf, judge, type Judgement, type Occasion, placeChange } from '../save-change.js';
import type { HeldSubject } from '../store.js';
import { nameOf, Names, type TakenName } from './names.js';
import { type Arrival, type Met, placesOf, type TogetherBooks } from './together-books.js';

/** What one of many records was answered: its receipt, or why it was refused. */
export type TogetherAnswer = { readonly receipt: string; readonly repeated: boolean } | Error;

/** How records are accepted. `asks`: names may be taken, so it is looked first; where not, claiming them tells. */
export interface Acceptor {
  readonly notary: Notary;
  readonly at: Date;
  readonly asks: boolean;
}

/** Records that name no other: they can be judged from what is held of their subject. */
export function isTakenTogether({ record }: SignedRecord): boolean {
  return namedBy(record) === undefined;
}

/**
 * Accepts records that came at the same time, in one transaction, in their order: each gets the answer it would have got alone, and those of one
 * subject are judged one after the other. One that cannot be judged is answered alone. Throws `NameTaken`.
 */
export async function acceptTogether(
  books: TogetherBooks,
  arrivals: readonly Arrival[],
  { notary, at, asks }: Acceptor,
): Promise<TogetherAnswer[]> {
  const identities = arrivals.map(({ incoming }) => identityOf(incoming.value));
  const nonces = arrivals.flatMap(({ nonce }) => nonce ?? []);
  const { held, replayed } = await books.meet(
    identities.map(({ ref }) => ref),
    nonces,
  );
  const judgeAll = (taken: readonly TakenName[]) => judgeEach(new TogetherJudge(held, new Names(taken), notary, at), arrivals, replayed);
  // Asked when the subjects are held: whoever brings the same record has to wait, or has committed.
  let judged = judgeAll(asks ? await books.taken(identities) : []);
  // What would be refused today may repeat what was accepted once.
  if (!asks && judged.refusesAny) judged = judgeAll(await books.taken(identities));
  const { accepted, verdicts } = judged;
  const receipts = new Map(await save(books, accepted, verdicts.filter(isEquivocation), { notary, at }));
  const repeated = verdicts.flatMap((verdict) => (verdict instanceof Repetition && !receipts.has(verdict.of) ? verdict.identity : []));
  if (repeated.length > 0) for (const [name, receipt] of await books.receipts(repeated)) receipts.set(name, receipt);
  return verdicts.map((verdict) => answer(verdict, receipts));
}

function judgeEach(judge: TogetherJudge, arrivals: readonly Arrival[], replayed: Met['replayed']) {
  const judged = arrivals.map(({ incoming, nonce }) => (nonce && replayed.has(nonce) ? undefined : judge.judge(incoming)));
  const verdicts = judged.map((verdict) => verdict ?? nonceReplayed());
  return { accepted: judge.accepted, verdicts, refusesAny: judged.some((verdict) => verdict instanceof Error) };
}

class Repetition {
  constructor(readonly identity: RecordIdentity) {}
  get of(): string {
    return nameOf(this.identity);
  }
}

/** A second payload under used names. */
class Equivocation {
  constructor(
    readonly identity: RecordIdentity,
    readonly received: Uint8Array,
  ) {}
}

function isEquivocation(verdict: Verdict): verdict is Equivocation {
  return verdict instanceof Equivocation;
}

/** A record that is accepted, with all that it changes. */
interface Acceptance {
  readonly incoming: Verified<SignedRecord>;
  readonly identity: RecordIdentity;
  readonly held: HeldSubject;
  readonly inForce: RecordInForce;
  readonly commitment: Commitment;
  readonly first: Happening;
  readonly judgement: Judgement;
  readonly occasion: Occasion;
}

type Verdict = Acceptance | Repetition | Equivocation | Error;

function answer(verdict: Verdict, receipts: ReadonlyMap<string, string>): TogetherAnswer {
  if (verdict instanceof Error) return verdict;
  // Answered only when its evidence is committed.
  if (verdict instanceof Equivocation) return equivocation(verdict.identity);
  const receipt = receipts.get(nameOf(verdict.identity));
  invariant(receipt !== undefined, 'an accepted identity has its record');
  return { receipt, repeated: verdict instanceof Repetition };
}

/** The heads are taken by the facts, last but for what needs their numbers. Answers the receipts by name. */
async function save(
  books: TogetherBooks,
  accepted: readonly Acceptance[],
  equivocations: readonly Equivocation[],
  { notary, at }: Pick<Acceptor, 'notary' | 'at'>,
): Promise<[string, string][]> {
  if (accepted.length > 0) await books.claim(accepted.map(({ identity }) => identity));
  const evidence: Fact[] = [];
  for (const { identity, received } of equivocations) evidence.push(...(await keepEvidence(books, identity, received, at, notary)));
  const facts = accepted.map(({ first, judgement }) => factsOf(first, judgement));
  const all = [...facts.flat(), ...evidence];
  if (all.length === 0) return [];
  const places = placesOf(
    facts.map(({ length }) => length),
    await books.facts.append(all as unknown as Facts),
  );
  return accepted.length > 0 ? await saveAccepted(books, accepted, places, notary) : [];
}

async function saveAccepted(
  books: TogetherBooks,
  accepted: readonly Acceptance[],
  places: readonly FactPosition[][],
  notary: Notary,
): Promise<[string, string][]> {
  const adding = accepted.map(async ({ incoming, held, commitment, inForce }, i) => {
    const position: FactPosition = places[i]![0]!;
    const receipt = await signReceipt(notary, incoming.value, commitment, position);
    return { inForce, receipt, record: storedRecord(incoming, held.subject, position, { receipt }) };
  });
  const added = await Promise.all(adding);
  const standings = accepted.map(({ first, judgement, occasion }, i) => placeChange(first, judgement, places[i]!, occasion, notary));
  await books.saveJudged(standings, added);
  return added.map(({ record, receipt }) => [nameOf(record), receipt]);
}

/** Judges record after record; what one changed, the next one finds changed. */
class TogetherJudge {
  readonly accepted: Acceptance[] = [];
  private readonly subjects: Map<string, HeldSubject>;
  private readonly subjectOf: ReadonlyMap<string, string>;

  constructor(
    held: ReadonlyMap<string, HeldSubject>,
    private readonly names: Names,
    private readonly notary: Notary,
    private readonly at: Date,
  ) {
    this.subjects = new Map([...held.values()].map((one) => [one.subject.id.uuid, one]));
    this.subjectOf = new Map([...held].map(([ref, { subject }]) => [ref, subject.id.uuid]));
  }

  judge(incoming: Verified<SignedRecord>): Verdict {
    try {
      const identity = identityOf(incoming.value);
      const met = this.names.meet(identity);
      if (met === 'equivocation') return new Equivocation(identity, incoming.received);
      if (met === 'repetition') return new Repetition(identity);
      const acceptance = this.accept(incoming, identity);
      this.accepted.push(acceptance);
      this.names.take(identity);
      return acceptance;
    } catch (error) {
      // A defect is the answer to the one record that shows it, not to those that came with it.
      return error instanceof Refusal || !(error instanceof Error) ? (error as Refusal) : error;
    }
  }

  private accept(incoming: Verified<SignedRecord>, identity: RecordIdentity): Acceptance {
    const { at, notary } = this;
    const held = linked(this.find(identity.ref), identity);
    const { subject, link, links, inForce: before, standing, ladder } = held;
    const { added: inForce } = acceptRecord({ link, inForce: before, namedExists: false }, incoming, at);
    invariant(inForce, 'what names no other record adds one');
    const { iss, jti } = identity;
    const occasion: Occasion = { at, why: 'CORRECTED', ladder, cause: { iss, jti }, untold: [iss] };
    const records = [...before, inForce];
    const judgement = judge(standing, { records, links }, occasion, notary);
    const commitment = commitTo(notary, incoming.value.payloadBytes);
    const first = recordAccepted(held, incoming.value, commitment, at);
    this.subjects.set(subject.id.uuid, { ...held, inForce: records, standing: judgement.change.next });
    return { incoming, identity, held, inForce, commitment, first, judgement, occasion };
  }

  private find(ref: ShardedId): HeldSubject | undefined {
    return this.subjects.get(this.subjectOf.get(ref.uuid) ?? '');
  }
}

import { decodeBase64Url } from '#evidence';
import { type Fact, type FactPosition, type Facts, Refusal, type Verified } from '#kernel';
import { acceptStatement, type BatchLease, identityOf, type LineOutcome, type RecordIdentity } from '#records';
import type { RecordInForce, SignedRecord } from '#records';
import { linkUnknown } from '../linked-subject.js';
import { type Commitment, commitTo, type Notary } from '../notary.js';
import { acceptedFact, storedRecord } from '../record-receipt.js';
import { Names } from '../together/names.js';
import type { HeldLink, LineBooks } from './line-books.js';

/** A line as it was read: verified, or refused. */
export interface ReadLine {
  readonly line: number;
  readonly nextByte: number;
  readonly incoming?: Verified<SignedRecord>;
  readonly refusal?: Refusal;
}

interface Added {
  readonly incoming: Verified<SignedRecord>;
  readonly identity: RecordIdentity;
  readonly held: HeldLink;
  readonly inForce: RecordInForce;
  readonly commitment: Commitment;
  readonly fact: Fact;
}

export interface LinesToAdd {
  readonly participant: string;
  readonly lines: readonly ReadLine[];
  readonly lease: BatchLease;
  /** Whether it is asked first which names are taken. Nearly always none is, and the claim says so itself. */
  readonly asks: boolean;
}

/**
 * Answers the outcomes of as many lines as could be taken together: fewer than given where one shows that it must be taken alone.
 * Throws `NameTaken` where it should have asked.
 */
export async function addStatements(
  books: LineBooks,
  { participant, lines, lease, asks }: LinesToAdd,
  notary: Notary,
  at: Date,
): Promise<LineOutcome[]> {
  const readable = lines.flatMap(({ incoming }) => incoming ?? []);
  const identities = readable.map(({ value }) => identityOf(value));
  const names = new Names(asks ? await books.taken(identities) : []);
  const held = await books.holdLinks(identities.map(({ ref }) => ref));
  const judge = new LineJudge(participant, names, held, notary, at);
  const outcomes: LineOutcome[] = [];
  for (const line of lines) {
    const outcome = judge.judge(line);
    if (outcome === 'alone') break;
    outcomes.push(outcome);
  }
  if (outcomes.length === 0) return [];
  const last = lines[outcomes.length - 1]!;
  await books.progress.advance({ lease, outcomes, nextLine: last.line + 1, nextByte: last.nextByte });
  if (judge.added.length > 0) await save(books, judge.added, at);
  return outcomes;
}

/** The head rows are taken by the facts, last but for what needs their numbers. Receipts are signed when they are asked for, not under these locks. */
async function save(books: LineBooks, added: readonly Added[], at: Date): Promise<void> {
  await books.claim(added.map(({ identity }) => identity));
  const positions = await books.facts.append(added.map(({ fact }) => fact) as unknown as Facts);
  const keeping = added.map(({ incoming, held, commitment, inForce }, i) => {
    const position: FactPosition = positions[i]!;
    return { inForce, record: storedRecord(incoming, held.subject, position, { salt: decodeBase64Url(commitment.salt, 'salt') }) };
  });
  await books.keep(keeping, at);
}

/** A refusal as a line is told it. */
export function refused(line: number, { code, detail, hints }: Refusal, jti: string | undefined): LineOutcome {
  return { line, outcome: 'REFUSED', jti, code, detail, field: hints.field };
}

/** Judges line after line; what an earlier line took, a later one finds taken. */
class LineJudge {
  readonly added: Added[] = [];
  /** By subject: what these lines have added so far. */
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly participant: string,
    private readonly names: Names,
    private readonly held: ReadonlyMap<string, HeldLink>,
    private readonly notary: Notary,
    private readonly at: Date,
  ) {}

  judge({ line, incoming, refusal }: ReadLine): LineOutcome | 'alone' {
    if (!incoming) return refused(line, refusal!, undefined);
    const identity = identityOf(incoming.value);
    const { jti } = identity;
    try {
      const met = this.names.meet(identity);
      if (met === 'equivocation') return 'alone';
      if (met === 'repetition') return { line, outcome: 'REPEATED', jti };
      this.add(incoming, identity);
      return { line, outcome: 'ACCEPTED', jti };
    } catch (error) {
      if (error instanceof Refusal) return refused(line, error, jti);
      throw error;
    }
  }

  private add(incoming: Verified<SignedRecord>, identity: RecordIdentity): void {
    const held = this.held.get(identity.ref.uuid);
    // Another participant's link is as unknown as one that does not exist.
    if (held?.link.participant !== this.participant) throw linkUnknown();
    const { uuid } = held.subject.id;
    const count = this.counts.get(uuid) ?? 0;
    const inForce = acceptStatement(held.link, held.inForceCount + count, incoming, this.at);
    const commitment = commitTo(this.notary, incoming.value.payloadBytes);
    this.added.push({ incoming, identity, held, inForce, commitment, fact: acceptedFact(held.subject, incoming.value, commitment) });
    this.counts.set(uuid, count + 1);
    this.names.take(identity);
  }
}

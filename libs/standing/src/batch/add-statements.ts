import { Refusal, type Verified } from '#kernel';
import { acceptStatement, type BatchLease, faultIn, type LineOutcome } from '#records';
import type { SignedRecord } from '#records';
import { linkUnknown } from '../linked-subject.js';
import { Names } from '../together/names.js';
import type { AddedLine, HeldLink, LineBooks } from './line-books.js';
import type { PreparedLine } from './prepare-line.js';

/** A line as it was read: verified, or refused. */
export interface ReadLine {
  readonly line: number;
  readonly nextByte: number;
  readonly incoming?: Verified<SignedRecord>;
  /** Of a line that only adds. */
  readonly prepared?: PreparedLine;
  readonly refusal?: Refusal;
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
export async function addStatements(books: LineBooks, { participant, lines, lease, asks }: LinesToAdd, at: Date): Promise<LineOutcome[]> {
  const identities = lines.flatMap(({ prepared }) => prepared?.identity ?? []);
  const names = new Names(asks ? await books.taken(identities) : []);
  const held = await books.holdLinks(identities.map(({ ref }) => ref));
  const judge = new LineJudge(participant, names, held, at);
  const outcomes: LineOutcome[] = [];
  for (const line of lines) {
    const outcome = judge.judge(line);
    if (outcome === 'alone') break;
    outcomes.push(outcome);
  }
  if (outcomes.length === 0) return [];
  const last = lines[outcomes.length - 1]!;
  const step = { lease, outcomes, nextLine: last.line + 1, nextByte: last.nextByte };
  await (judge.added.length > 0 ? books.add(step, judge.added) : books.progress.advance(step));
  return outcomes;
}

/** A refusal as a line is told it. */
export function refused(line: number, refusal: Refusal, jti: string | undefined): LineOutcome {
  return { line, outcome: 'REFUSED', jti, ...faultIn(refusal) };
}

/** Judges line after line; what an earlier line took, a later one finds taken. */
class LineJudge {
  readonly added: AddedLine[] = [];
  /** By subject: what these lines have added so far. */
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly participant: string,
    private readonly names: Names,
    private readonly held: ReadonlyMap<string, HeldLink>,
    private readonly at: Date,
  ) {}

  judge({ line, prepared, refusal }: ReadLine): LineOutcome | 'alone' {
    if (!prepared) return refused(line, refusal!, undefined);
    const { jti } = prepared.identity;
    try {
      const met = this.names.meet(prepared.identity);
      if (met === 'equivocation') return 'alone';
      if (met === 'repetition') return { line, outcome: 'REPEATED', jti };
      this.add(prepared);
      return { line, outcome: 'ACCEPTED', jti };
    } catch (error) {
      if (error instanceof Refusal) return refused(line, error, jti);
      throw error;
    }
  }

  private add(prepared: PreparedLine): void {
    const { incoming, identity } = prepared;
    const held = this.held.get(identity.ref.uuid);
    // Another participant's link is as unknown as one that does not exist.
    if (held?.link.participant !== this.participant) throw linkUnknown();
    const { uuid } = held.subject.id;
    const count = this.counts.get(uuid) ?? 0;
    const inForce = acceptStatement(held.link, held.inForceCount + count, incoming, this.at);
    this.added.push({ ...prepared, subject: held.subject, inForce });
    this.counts.set(uuid, count + 1);
    this.names.take(identity);
  }
}

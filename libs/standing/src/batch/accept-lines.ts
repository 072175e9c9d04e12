import { type Clock, Refusal, type Verified } from '#kernel';
import { type BatchLease, BatchLeaseLost, checkIssuer, isPlainStatement, type LineOutcome, type LineTaker } from '#records';
import type { RecordBatch, SignedRecord, TextLine } from '#records';
import type { AcceptRecord } from '../accept-record.js';
import type { Notary } from '../notary.js';
import { untilNamesAreFree } from '../together/together-books.js';
import type { LineExchange } from './line-books.js';
import { addStatements, type ReadLine, refused } from './add-statements.js';
import { prepareLine } from './prepare-line.js';

/** Reads and verifies lines as received. A line that a single submission would be refused for is answered with that refusal. */
export type ReadPage = (batch: RecordBatch, lines: readonly TextLine[]) => Promise<readonly (Verified<SignedRecord> | Refusal)[]>;

/**
 * Takes the lines of a batch in their order. Ratings and performance are saved many at a time and mark their subjects, whose standing the
 * worker then judges; a violation, clearance, correction or withdrawal is judged in its own transaction, as if it had come alone. A bad line
 * is refused with the code that it would have had alone, and stops nothing.
 */
export class AcceptLines implements LineTaker<readonly ReadLine[]> {
  constructor(
    private readonly exchange: LineExchange,
    private readonly accept: AcceptRecord,
    private readonly readPage: ReadPage,
    private readonly notary: Notary,
    private readonly clock: Clock,
  ) {}

  async take(batch: RecordBatch, read: readonly ReadLine[], lease: BatchLease): Promise<readonly LineOutcome[]> {
    const outcomes: LineOutcome[] = [];
    for (let at = 0; at < read.length;) {
      const alike = leading(read.slice(at));
      const taken = alike.length > 0 ? await this.takeMany(batch.participant, alike, lease) : [await this.takeOne(read[at]!, lease)];
      // A line that only looked like the others (an equivocation) is taken alone.
      if (taken.length === 0) taken.push(await this.takeOne(read[at]!, lease));
      outcomes.push(...taken);
      at += taken.length;
    }
    return outcomes;
  }

  async read(batch: RecordBatch, lines: readonly TextLine[]): Promise<ReadLine[]> {
    const read = await this.readPage(batch, lines);
    return lines.map(({ line, nextByte }, i) => {
      const incoming = read[i]!;
      if (incoming instanceof Refusal) return { line, nextByte, refusal: incoming };
      const refusal = issuerRefusal(incoming.value, batch.participant);
      if (refusal) return { line, nextByte, refusal };
      if (!isPlainStatement(incoming.value.record)) return { line, nextByte, incoming };
      return { line, nextByte, incoming, prepared: prepareLine(incoming, this.notary) };
    });
  }

  private takeMany(participant: string, lines: readonly ReadLine[], lease: BatchLease): Promise<LineOutcome[]> {
    return untilNamesAreFree((asks) =>
      this.exchange.many((books) => addStatements(books, { participant, lines, lease, asks }, this.clock.now())),
    );
  }

  private async takeOne(read: ReadLine, lease: BatchLease): Promise<LineOutcome> {
    const { line, nextByte, incoming } = read;
    const step = (outcome: LineOutcome) => ({ lease, outcomes: [outcome], nextLine: line + 1, nextByte });
    const jti = incoming?.value.record.jti;
    try {
      if (!incoming) throw read.refusal!;
      return await this.exchange.one(async (books, progress) => {
        const result = await this.accept.within(books, incoming);
        const outcome = result instanceof Refusal ? refused(line, result, jti) : { line, outcome: told(result.repeated), jti };
        await progress.advance(step(outcome));
        return outcome;
      });
    } catch (error) {
      if (error instanceof BatchLeaseLost || !(error instanceof Refusal)) throw error;
      // What was refused left nothing behind, so saying so needs no more than itself.
      const outcome = refused(line, error, jti);
      await this.exchange.one((_books, progress) => progress.advance(step(outcome)));
      return outcome;
    }
  }
}

function issuerRefusal({ record }: SignedRecord, participant: string): Refusal | undefined {
  try {
    checkIssuer(record, participant);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function told(repeated: boolean): LineOutcome['outcome'] {
  return repeated ? 'REPEATED' : 'ACCEPTED';
}

/** The lines at the front that can be saved together: plain statements, and whatever was refused while it was read. */
function leading(lines: readonly ReadLine[]): readonly ReadLine[] {
  const end = lines.findIndex(({ incoming, prepared }) => incoming && !prepared);
  return end < 0 ? lines : lines.slice(0, end);
}

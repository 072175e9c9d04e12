import { Refusal } from '#kernel';
import { openBatchFile, readBatchLines } from './batch-file.js';
import type { LineOutcome } from './line-outcome.js';
import { type BatchLine, lineBytesMax } from './line-pieces.js';
import { type Seal, writeBatch } from './write-batch.js';

export interface FailedLinesOptions {
  /** Needed where the batch was sealed: its lines have no signatures of their own. */
  readonly seal?: Seal;
  readonly gzip?: boolean;
  /** What to send instead of a refused line; undefined leaves it out. Without it the line is sent as it was. A line that was too long is left out. */
  readonly repair?: (line: string, outcome: LineOutcome) => BatchLine | undefined | Promise<BatchLine | undefined>;
}

/**
 * Writes the lines of a sent batch that were refused into a new one, to be submitted like any other. It is never taken for a batch that was sent before,
 * although its lines may be: it begins with one blank line more than the first. @returns how many lines it has.
 * Refuses 422 `batch.seal_missing`, and what `writeBatch` refuses: 400 `batch.empty` where nothing is left.
 */
export async function writeFailedLines(
  sent: string,
  errors: AsyncIterable<LineOutcome>,
  to: string,
  { seal, gzip = false, repair = (line) => line }: FailedLinesOptions = {},
): Promise<number> {
  const batch = await openBatchFile(sent);
  if (batch.sealed && !seal) {
    throw new Refusal('unprocessable', 'batch.seal_missing', 'the lines of a sealed batch are sent under a new seal: say whose');
  }
  let blankLines = 1;
  for await (const line of readBatchLines(batch)) {
    if (line.length > 0) break;
    blankLines++;
  }
  const lines = repaired(refusedLines(readBatchLines(batch), errors), repair);
  return await writeBatch(to, lines, { gzip, blankLines, ...(seal ? { seal } : {}) });
}

interface RefusedLine {
  readonly line: string;
  readonly outcome: LineOutcome;
}

/** Both come in the order of the lines, so one pass over each is enough. */
async function* refusedLines(lines: AsyncIterable<Buffer>, errors: AsyncIterable<LineOutcome>): AsyncGenerator<RefusedLine> {
  const wanted = errors[Symbol.asyncIterator]();
  let next = await wanted.next();
  let number = 0;
  for await (const line of lines) {
    if (next.done) return;
    if (++number !== next.value.line) continue;
    if (line.length <= lineBytesMax) yield { line: line.toString(), outcome: next.value };
    next = await wanted.next();
  }
}

async function* repaired(lines: AsyncIterable<RefusedLine>, repair: NonNullable<FailedLinesOptions['repair']>): AsyncGenerator<BatchLine> {
  for await (const { line, outcome } of lines) {
    const instead = await repair(line, outcome);
    if (instead !== undefined) yield instead;
  }
}

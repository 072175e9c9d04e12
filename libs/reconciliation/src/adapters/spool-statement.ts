import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Refusal } from '#kernel';
import type { Spool } from '#platform';
import { readCamt053 } from '../camt053/read-camt053.js';
import type { SurveyedFile } from '../receive-statement.js';
import { surveyStatement } from '../survey-statement.js';

export const statementBytesMax = 16 * 1024 * 1024;
const chunkBytes = 1024 * 1024;

/** A statement that was read once while it came in and now waits in a file without a name, which ends with its process. `discard` it when it is kept. */
export interface SpooledStatement extends SurveyedFile {
  discard(): Promise<void>;
}

/**
 * Takes a body from the network in constant memory: each piece is measured, digested, parsed and written away before the next one is
 * asked for, so a file that is too large or malformed is refused at the piece that shows it. Refuses `statement.too_large` and what
 * the reader refuses.
 */
export async function spoolStatement(
  body: AsyncIterable<Uint8Array>,
  spool: Spool,
  bytesMax = statementBytesMax,
): Promise<SpooledStatement> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await spool.file();
  const read = () => handle.createReadStream({ start: 0, highWaterMark: chunkBytes, autoClose: false });
  try {
    const spooling = pieces(body, handle, (piece) => {
      sizeBytes += piece.length;
      if (sizeBytes > bytesMax) throw tooLarge(bytesMax);
      hash.update(piece);
    });
    const survey = await surveyStatement(readCamt053(spooling));
    return { survey, digest: hash.digest('hex'), sizeBytes, read, discard: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function* pieces(body: AsyncIterable<Uint8Array>, file: FileHandle, see: (piece: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    see(piece);
    await file.writeFile(piece);
    yield piece;
  }
}

function tooLarge(bytesMax: number): Refusal {
  return new Refusal('too_large', 'statement.too_large', 'a statement file is at most 16 MiB; send one file per account or period', {
    limit: `statementBytesMax=${bytesMax}`,
  });
}

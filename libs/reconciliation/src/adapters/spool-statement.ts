import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Refusal } from '#kernel';
import { readCamt053 } from '../camt053/read-camt053.js';
import type { SurveyedFile } from '../receive-statement.js';
import { surveyStatement } from '../survey-statement.js';

export const statementBytesMax = 16 * 1024 * 1024;
const chunkBytes = 1024 * 1024;

/** A statement that was read once while it came in and now waits in a private temporary file. `discard` it when it is kept. */
export interface SpooledStatement extends SurveyedFile {
  discard(): Promise<void>;
}

/**
 * Takes a body from the network in constant memory: each piece is measured, digested, parsed and written away before the next one is
 * asked for, so a file that is too large or malformed is refused at the piece that shows it. Refuses `statement.too_large` and what
 * the reader refuses.
 */
export async function spoolStatement(body: AsyncIterable<Uint8Array>, bytesMax = statementBytesMax): Promise<SpooledStatement> {
  const file = path.join(tmpdir(), `tallystick-statement-${randomUUID()}`);
  const discard = () => rm(file, { force: true });
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await open(file, 'wx', 0o600);
  try {
    const spooling = pieces(body, handle, (piece) => {
      sizeBytes += piece.length;
      if (sizeBytes > bytesMax) throw tooLarge(bytesMax);
      hash.update(piece);
    });
    const survey = await surveyStatement(readCamt053(spooling));
    return { survey, digest: hash.digest('hex'), sizeBytes, read: () => createReadStream(file, { highWaterMark: chunkBytes }), discard };
  } catch (error) {
    await discard();
    throw error;
  } finally {
    await handle.close();
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

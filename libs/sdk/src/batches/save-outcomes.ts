import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import type { LineOutcome } from './line-outcome.js';
import { splitLines } from './line-pieces.js';

/**
 * Saves outcomes as NDJSON, page by page, each durable before the next is asked for. What an interrupted call left in `<file>.partial` is kept and
 * gone on from; the file has its name when it is whole. @returns how many lines it has.
 */
export async function saveOutcomes(file: string, pagesAfter: (line: number) => AsyncIterable<readonly LineOutcome[]>): Promise<number> {
  const partial = `${file}.partial`;
  const handle = await open(partial, 'a+', 0o600);
  try {
    const { last, count: before } = await keptOf(partial, handle);
    let count = before;
    for await (const page of pagesAfter(last)) {
      await handle.appendFile(page.map((outcome) => `${JSON.stringify(outcome)}\n`).join(''));
      await handle.sync();
      count += page.length;
    }
    await rename(partial, file);
    return count;
  } finally {
    await handle.close();
  }
}

/** The last line that was saved whole, and how many; half a line at the end, which only a crash leaves, is cut off. */
async function keptOf(partial: string, handle: FileHandle): Promise<{ readonly last: number; readonly count: number }> {
  let [last, count, bytes] = [0, 0, 0];
  for await (const line of splitLines(createReadStream(partial))) {
    const outcome = whole(line.toString());
    if (!outcome) break;
    last = outcome.line;
    count++;
    bytes += line.length + 1;
  }
  await handle.truncate(bytes);
  return { last, count };
}

function whole(line: string): LineOutcome | undefined {
  try {
    return JSON.parse(line) as LineOutcome;
  } catch {
    return undefined;
  }
}

import { splitLines } from './line-pieces.js';

/** What became of one line. `line` counts from 1 as the lines stand in the file: blank ones and a manifest count, too. */
export interface LineOutcome {
  readonly line: number;
  readonly outcome: 'ACCEPTED' | 'REPEATED' | 'REFUSED';
  readonly jti?: string;
  /** Of a record that is accepted or was before. */
  readonly receipt?: string;
  /** Of a refused line: the code that the record would have had alone. */
  readonly code?: string;
  readonly detail?: string;
  readonly field?: string;
}

export async function parseOutcomes(pieces: AsyncIterable<Uint8Array>): Promise<LineOutcome[]> {
  const outcomes: LineOutcome[] = [];
  for await (const line of splitLines(pieces)) if (line.length > 0) outcomes.push(JSON.parse(line.toString()) as LineOutcome);
  return outcomes;
}

import type { Place } from './json-places.js';

const UNIT = /\\u[0-9a-fA-F]{4}|\\.|[^]/y;

/** Where in a JSON text the unit `offset` of the string that begins at `start` stands. Offset 0 is the place of the string itself. */
export function within(text: string, start: Place, offset: number): Place {
  if (offset === 0) return start;
  const line = text.split('\n')[start.line - 1]!;
  let at = start.column; // Past the opening quote, from 0.
  for (let unit = 0; unit < offset; unit++) {
    UNIT.lastIndex = at;
    at += UNIT.exec(line)?.[0].length ?? 0;
  }
  return { line: start.line, column: at + 1 };
}

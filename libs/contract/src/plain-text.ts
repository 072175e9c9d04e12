import { z } from 'zod';

const CONTROL = /\p{Control}/u;

/**
 * A line of text that somebody writes, of 1 to `charsMax` characters. Control characters are refused: PostgreSQL keeps no U+0000, and what reads the
 * line later (a terminal, a log, a spreadsheet) may act upon the others.
 */
export const plainText = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    // Not as a pattern: not every reader of our schemas knows \p{…}.
    .refine((text) => !CONTROL.test(text), 'a line of text without control characters');

/** What a stranger wrote, to be shown: control characters become spaces. */
export function printable(text: string): string {
  return text.replace(/\p{Control}/gu, ' ');
}

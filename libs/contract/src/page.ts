import { z } from 'zod';
import { parseStrictly } from './strict-parse.js';

/** Rows of one page, at most. A list that may grow comes in pages: `after` is the `next` of the page before, and the last page has no `next`. */
const pageRowsMax = 200;

/** What the query of every paged list may say. */
export const pageFields = {
  after: z.string().max(64).optional(),
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/, `limit is 1 to ${pageRowsMax}`)
    .transform((text) => parseInt(text, 10))
    .refine((limit) => limit <= pageRowsMax, `limit is 1 to ${pageRowsMax}`)
    .default(50),
};

const page = z.strictObject(pageFields);

/** A page of a list whose rows have names. Refuses 400 `query.malformed` with the field. */
export function parsePage(query: unknown): { readonly after: string | undefined; readonly countMax: number } {
  const { after, limit } = parseStrictly(page, query, 'query.malformed');
  return { after, countMax: limit };
}

export interface NumberedPage {
  readonly after: number | undefined;
  readonly countMax: number;
}

/** In lists whose rows have numbers. Up to 15 digits: every one is a number that counts exactly. */
export const numberedPageFields = {
  ...pageFields,
  after: z
    .string()
    .regex(/^[0-9]{1,15}$/, 'after is the `next` of the page before')
    .transform((text) => parseInt(text, 10))
    .optional(),
};

const numberedPage = z.strictObject(numberedPageFields);

/** A page of a list whose rows are numbered. Refuses 400 `query.malformed` with the field. */
export function parseNumberedPage(query: unknown): NumberedPage {
  const { after, limit } = parseStrictly(numberedPage, query, 'query.malformed');
  return { after, countMax: limit };
}

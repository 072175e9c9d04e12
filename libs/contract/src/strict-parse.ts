import { Refusal } from '#kernel';
import type { z } from 'zod';
import { issueSentence } from './issue-sentence.js';

/**
 * Reads an untrusted value with a strict schema. Refuses `code` (400) and names the first field at fault as a JSON pointer (RFC 6901);
 * an unknown field is at fault too.
 */
export function parseStrictly<T extends z.ZodType>(schema: T, input: unknown, code: string): z.output<T> {
  const read = schema.safeParse(input, { error: issueSentence });
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    throw new Refusal('malformed', code, 'this field is not known here', { field: pointer([...issue.path, issue.keys[0]!]) });
  }
  const missing = NAMES_A_TYPE.has(issue.code) && issue.path.length > 0 && valueAt(input, issue.path) === undefined;
  throw new Refusal('malformed', code, missing ? 'this field is missing' : issue.message, { field: pointer(issue.path) });
}

const NAMES_A_TYPE: ReadonlySet<string | undefined> = new Set(['invalid_type', 'invalid_value', 'invalid_union']);

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown> | null | undefined)?.[step], input);
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

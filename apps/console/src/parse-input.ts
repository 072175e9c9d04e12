import type { z } from 'zod';
import { Refusal } from '#kernel';

/** What a page sent, as the schema's type. Refuses `request.malformed` (400) and names the first field that is wrong. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const read = schema.safeParse(input);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  const field = issue.path.join('.');
  throw new Refusal('malformed', 'request.malformed', issue.message, field === '' ? {} : { field });
}

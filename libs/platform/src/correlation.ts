import { randomUUID } from 'node:crypto';

/** The id that a caller reads in `instance` and an operator finds in the logs. A caller's own UUID is kept. */
const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const CORRELATION_HEADER = 'x-request-id';

export function correlationIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && UUID_FORM.test(header) ? header : randomUUID();
}

import { Refusal } from '#kernel';
import type { SetQuery } from '#records';

const NUMBER_FORM = /^(0|[1-9][0-9]{0,14})$/;

/** Reads which records of a set are meant, out of `?logIndex=…&before=…`. Refuses 400 `query.malformed` and `query.unknown_field`. */
export function readSetQuery(set: string, query: Readonly<Record<string, unknown>>): SetQuery {
  requireNames(query, ['logIndex', 'before']);
  const [logIndex, before] = [readNumber(query, 'logIndex'), readNumber(query, 'before')];
  return { set, logIndex: logIndex === undefined ? undefined : BigInt(logIndex), before };
}

export function requireNames(query: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new Refusal('malformed', 'query.unknown_field', 'this query has a field that is not known', { field: unknown });
}

export function readNumber(query: Readonly<Record<string, unknown>>, field: string): number | undefined {
  const text = query[field];
  if (text === undefined) return undefined;
  if (typeof text === 'string' && NUMBER_FORM.test(text)) return Number(text);
  throw new Refusal('malformed', 'query.malformed', `${field} must be a number`, { field });
}

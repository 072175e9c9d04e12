import type { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  undefined: 'nothing',
};

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'must be a time in UTC as in RFC 3339, such as 2026-11-22T08:00:00Z',
  date: 'must be a day that exists, such as 2026-11-22',
  uuid: 'must be a UUID in lower case',
  url: 'must be a whole address, such as https://bank.example/events',
};

/** How much of what, for each kind of value that has a size. */
const SIZES: Readonly<Record<string, readonly [verb: string, unit: string]>> = {
  string: ['have', ' characters'],
  array: ['have', ' entries'],
  set: ['have', ' entries'],
  map: ['have', ' entries'],
};

/**
 * What is wrong with a value, in a sentence that goes on after its JSON pointer. Undefined where a schema's own words say it better: those always come first.
 */
export function issueSentence(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? `a ${issue.expected}`}${issue.expected === 'int' ? '' : `, not ${nameOf(issue.input)}`}`;
    case 'invalid_value':
      return `must be ${listOf(issue.values)}`;
    case 'too_small':
      return sizeSentence(issue.origin, 'at least', issue.minimum);
    case 'too_big':
      return sizeSentence(issue.origin, 'at most', issue.maximum);
    case 'invalid_format':
      return issue.format === 'starts_with'
        ? `must begin with ${String(issue['prefix'])}`
        : (FORMATS[issue.format] ?? 'has another form than is read here');
    case 'invalid_union':
      return Array.isArray(issue['options'])
        ? `must be ${listOf(issue['options'] as readonly unknown[])}`
        : 'has none of the forms that are read here';
    default:
      return undefined;
  }
}

function sizeSentence(origin: string, bound: string, limit: number | bigint): string {
  const [verb, unit] = SIZES[origin] ?? ['be', ''];
  if (bound === 'at least' && unit !== '' && Number(limit) === 1) return 'must not be empty';
  return `must ${verb} ${bound} ${limit}${unit}`;
}

function nameOf(input: unknown): string {
  if (input === null) return 'null';
  return TYPES[Array.isArray(input) ? 'array' : typeof input] ?? typeof input;
}

function listOf(values: readonly unknown[]): string {
  const shown = values.map(String);
  return shown.length === 1 ? shown[0]! : `one of ${shown.join(', ')}`;
}

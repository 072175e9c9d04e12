import { issueSentence } from '#contract';
import type { z } from 'zod';
import { findContradictions } from '../contradictions.js';
import { type PolicyDocument, policySchema } from '../document.js';
import type { Remark, Severity } from './finding.js';
import { JsonSyntaxError, type Place, type PlacedJson, pointerTo, readPlacedJson } from './json-places.js';
import { limitsThatNeverBind, reviewsThatNeverHappen, servicesWithoutLimit } from './limit-checks.js';
import { discountsNeverBest, discountsOfNothing } from './discount-checks.js';
import { closuresThatDisputesSuspend, disputeCapsThatNeverBind, holidaysOnWeekends } from './dispute-checks.js';
import { ladderServicesUnknown, rungsOutOfReach } from './ladder-checks.js';
import { discountsOutOfReach, servicesOutOfReach, tiersServedNowhere } from './reach-checks.js';
import { rulesOutOfReach, rulesShadowed, rulesThatNeverVary, rulesWithUnknownNames } from './rule-checks.js';
import { within } from './string-place.js';

/** Line and column count from 1, columns in UTF-16 code units. */
export interface Finding extends Place {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  /** RFC 6901. */
  readonly pointer: string;
}

/** Each looks at a document that is well-formed and does not contradict itself. */
const CHECKS: readonly ((document: PolicyDocument) => Remark[])[] = [
  limitsThatNeverBind,
  servicesWithoutLimit,
  reviewsThatNeverHappen,
  servicesOutOfReach,
  tiersServedNowhere,
  discountsOutOfReach,
  discountsNeverBest,
  discountsOfNothing,
  rulesOutOfReach,
  rulesThatNeverVary,
  rulesShadowed,
  rulesWithUnknownNames,
  ladderServicesUnknown,
  rungsOutOfReach,
  disputeCapsThatNeverBind,
  closuresThatDisputesSuspend,
  holidaysOnWeekends,
];

/**
 * Everything that is wrong or strange about the text of a policy, in the order of the text. Without errors the document can be drafted.
 * Checks that ask what a policy means are made once it has a meaning: after errors of form, none of them.
 */
export function lintPolicy(text: string): Finding[] {
  const json = readOrExplain(text);
  if ('severity' in json) return [json];
  const repeated = json.repeated.map(({ pointer, place }) => ({ ...REPEATED, pointer, ...place }));
  const findings = judge(json.value).map(({ atName, offset = 0, ...remark }) => {
    return { ...remark, ...within(text, placeOf(json, remark.pointer, atName), offset) };
  });
  return [...repeated, ...findings].sort((a, b) => a.line - b.line || a.column - b.column);
}

const REPEATED = { severity: 'error', code: 'json.name_twice', message: 'this name stands twice in one object' } as const;

function readOrExplain(text: string): PlacedJson | Finding {
  try {
    return readPlacedJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { severity: 'error', code: 'json.malformed', message: error.message, pointer: error.pointer, ...error.place };
  }
}

function judge(value: unknown): Remark[] {
  const read = policySchema.safeParse(value, { error: issueSentence });
  if (!read.success) return read.error.issues.flatMap((issue) => formRemarks(issue, value));
  const contradictions = findContradictions(read.data);
  if (contradictions.length === 0) return CHECKS.flatMap((check) => check(read.data));
  return contradictions.map(({ code, message, pointer, offset }) => ({ severity: 'error', code, message, pointer, offset }));
}

function formRemarks(issue: z.core.$ZodIssue, value: unknown): Remark[] {
  const pointer = issue.path.reduce<string>(pointerTo, '');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => ({
      severity: 'error',
      code: 'policy.unknown_field',
      message: `"${name}" is not known here`,
      pointer: pointerTo(pointer, name),
      atName: true,
    }));
  }
  const name = issue.path.at(-1);
  const isMissing = typeof name === 'string' && valueAt(value, issue.path) === undefined;
  const subject = issue.code === 'custom' ? '' : typeof name === 'string' ? `"${name}" ` : 'this ';
  const message = isMissing ? `"${name}" is missing` : `${subject}${issue.message}`;
  return [{ severity: 'error', code: 'policy.malformed', message, pointer, atName: issue.code === 'invalid_key' }];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | null | undefined)?.[step], value);
}

/** What is missing has no place: then it is the place of what it is missing from. */
function placeOf({ names, values }: Pick<PlacedJson, 'names' | 'values'>, pointer: string, atName = false): Place {
  const place = (atName ? names.get(pointer) : undefined) ?? values.get(pointer);
  return place ?? placeOf({ names, values }, pointer.slice(0, pointer.lastIndexOf('/')));
}

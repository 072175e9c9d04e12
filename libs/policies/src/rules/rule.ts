import type { ASTNode, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import type { Outcome } from '#contract';
import type { RuleDocument } from './rule-document.js';
import { type RuleContext, ruleLanguage, ruleNames } from './rule-language.js';
import { findShapeFaults, nodesOf, type RuleFault } from './rule-shape.js';

/** What a rule looks at that ends by itself: an evaluation holds no longer. */
export interface RuleReads {
  readonly hour: boolean;
  readonly day: boolean;
}

/** A rule ready to judge. */
export interface Rule {
  readonly id: string;
  /** What the answer is where the rule applies; WARN allows, and says so. */
  readonly says: Outcome;
  readonly reason: { readonly code: string; readonly text: string };
  readonly reads: RuleReads;
  /** Throws a CEL EvaluationError where the expression has no value (a division by zero, an overflow). */
  readonly applies: (context: RuleContext) => boolean;
}

const SAYS: Readonly<Record<RuleDocument['then'], Outcome>> = { DENY: 'DENY', REVIEW: 'REVIEW', WARN: 'ALLOW' };

/** An expression as the language understands it, or why it does not. */
export type ReadExpression = { readonly ast: ASTNode; readonly run: (context: RuleContext) => unknown } | { readonly faults: RuleFault[] };

/** Parses, bounds and type-checks an expression of one policy's currency. */
export function readExpression(when: string, currency: string): ReadExpression {
  const language = ruleLanguage(currency);
  try {
    const run = language.parse(when);
    const faults = findShapeFaults(run.ast, currency);
    if (faults.length > 0) return { faults };
    const { valid, type, error } = run.check();
    if (!valid) return { faults: [faultOf(error!)] };
    if (type !== 'bool') return { faults: [{ offset: 0, message: `a rule says true or false, and this is of type ${type}` }] };
    return { ast: run.ast, run: (context) => run(context) as unknown };
  } catch (error) {
    if (!isCelError(error)) throw error;
    return { faults: [faultOf(error)] };
  }
}

/** Takes a rule that `readExpression` finds no fault in. */
export function compileRule({ id, when, then, reason }: RuleDocument, currency: string): Rule {
  const read = readExpression(when, currency);
  if ('faults' in read) throw new Error(`rule ${id} was not checked`);
  return { id, says: SAYS[then], reason, reads: readsOf(read.ast), applies: (context) => read.run(context) === true };
}

function readsOf(ast: ASTNode): RuleReads {
  const fields = new Set(nodesOf(ast).map(fieldOf));
  const reads = (...names: string[]) => names.some((name) => fields.has(name));
  return { hour: reads('at.hour'), day: reads('at.date', 'at.month', 'at.day', 'at.weekday') };
}

/** `subject.score` of a node that reads it. */
export function fieldOf(node: ASTNode): string | undefined {
  return node.op === '.' && node.args[0].op === 'id' ? `${node.args[0].args}.${node.args[1]}` : undefined;
}

function faultOf({ code, range, summary }: ParseError | CelTypeError): RuleFault {
  const hint = HINTS.find(([about, words]) => about === code && words.test(summary))?.[2];
  return { offset: range?.start ?? 0, message: hint === undefined ? summary : `${summary} (${hint})` };
}

/** What to write instead, by the type checker's code and words. */
const HINTS: readonly (readonly [code: string, words: RegExp, hint: string])[] = [
  ['no_such_overload', /Money/, 'money compares with money only: money("199.00")'],
  ['unknown_variable', /./, `there are ${Object.keys(ruleNames).join(', ')}`],
  [
    'no_such_key',
    /./,
    Object.entries(ruleNames)
      .map(([name, fields]) => `${name} has ${fields.join(', ')}`)
      .join('; '),
  ],
];

function isCelError(error: unknown): error is ParseError {
  return error instanceof Error && 'summary' in error && 'range' in error;
}

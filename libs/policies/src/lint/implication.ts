import { serialize, type ASTNode } from '@marcbachmann/cel-js';
import { readExpression } from '../rules/rule.js';
import { nodesOf } from '../rules/rule-shape.js';

const [LOWEST_SCORE, HIGHEST_SCORE] = [350n, 950n];

/** What an expression always is, whoever asks for whatever; undefined: it depends, or cannot be told. */
export function constantOf(node: ASTNode, currency: string): boolean | undefined {
  switch (node.op) {
    case '!_': {
      const inner = constantOf(node.args, currency);
      return inner === undefined ? undefined : !inner;
    }
    case '&&':
    case '||': {
      const sides = node.args.map((side) => constantOf(side, currency));
      const decisive = node.op === '||';
      if (sides.includes(decisive)) return decisive;
      return sides.includes(undefined) ? undefined : !decisive;
    }
    default:
      return scoreConstant(node) ?? literalConstant(node, currency);
  }
}

function literalConstant(node: ASTNode, currency: string): boolean | undefined {
  if (nodesOf(node).some(({ op }) => op === 'id')) return undefined;
  const read = readExpression(serialize(node), currency);
  if ('faults' in read) return undefined;
  try {
    return read.run(NOBODY) as boolean;
  } catch {
    return undefined;
  }
}

/** No variable is looked at. */
const NOBODY = {} as Parameters<Extract<ReturnType<typeof readExpression>, { run: unknown }>['run']>[0];

/** A score compared with what no score is. */
function scoreConstant(node: ASTNode): boolean | undefined {
  const comparison = readComparison(node);
  if (comparison?.left !== 'subject.score') return undefined;
  const [lowest, highest] = [LOWEST_SCORE, HIGHEST_SCORE].map((score) => holds(score, comparison));
  if (comparison.op !== '==' && comparison.op !== '!=') return lowest === highest ? lowest : undefined;
  const isScore = comparison.bound >= LOWEST_SCORE && comparison.bound <= HIGHEST_SCORE;
  return isScore ? undefined : comparison.op === '!=';
}

/** Many rules are compared with each other; each part is written out once. */
const TEXTS = new WeakMap<ASTNode, string>();

function textOf(node: ASTNode): string {
  const text = TEXTS.get(node) ?? serialize(node);
  TEXTS.set(node, text);
  return text;
}

/** Whether b is true wherever a is. A `false` may only mean that this is not seen. */
export function implies(a: ASTNode, b: ASTNode): boolean {
  if (textOf(a) === textOf(b)) return true;
  if (b.op === '&&') return b.args.every((side) => implies(a, side));
  if (a.op === '||') return a.args.every((side) => implies(side, b));
  if (b.op === '||' && b.args.some((side) => implies(a, side))) return true;
  if (a.op === '&&' && a.args.some((side) => implies(side, b))) return true;
  const [narrow, wide] = [readComparison(a), readComparison(b)];
  return narrow !== undefined && wide !== undefined && narrow.left === wide.left && covers(wide, narrow);
}

interface Comparison {
  readonly left: string;
  readonly op: '==' | '!=' | '<' | '<=' | '>' | '>=';
  readonly bound: bigint;
}

/** Something compared with a whole number or an amount, which stands on the right; amounts in millionths. */
function readComparison(node: ASTNode): Comparison | undefined {
  if (node.op !== '==' && node.op !== '!=' && node.op !== '<' && node.op !== '<=' && node.op !== '>' && node.op !== '>=') return undefined;
  const [left, right] = node.args;
  const bound = boundOf(right);
  return bound === undefined ? undefined : { left: textOf(left), op: node.op, bound };
}

function boundOf(node: ASTNode): bigint | undefined {
  if (node.op === 'value') return typeof node.args === 'bigint' ? node.args : undefined;
  if (node.op !== 'call' || node.args[0] !== 'money') return undefined;
  const [whole, decimals = ''] = String((node.args[1][0] as Extract<ASTNode, { op: 'value' }>).args).split('.') as [string, string?];
  return BigInt(whole + decimals.padEnd(6, '0'));
}

function holds(value: bigint, { op, bound }: Comparison): boolean {
  return {
    '==': value === bound,
    '!=': value !== bound,
    '<': value < bound,
    '<=': value <= bound,
    '>': value > bound,
    '>=': value >= bound,
  }[op];
}

/** Whether every value that the narrow comparison lets through is let through by the wide one. */
function covers(wide: Comparison, narrow: Comparison): boolean {
  if (narrow.op === '==') return holds(narrow.bound, wide);
  if (narrow.op === '!=') return false;
  const [isUp, step] = [narrow.op.startsWith('>'), narrow.op.endsWith('=') ? 0n : 1n];
  // Values are whole: the first that passes says it for all further ones, if the wide comparison opens to the same side.
  const first = isUp ? narrow.bound + step : narrow.bound - step;
  if (wide.op === '!=') return isUp ? wide.bound < first : wide.bound > first;
  return wide.op.startsWith(isUp ? '>' : '<') && holds(first, wide);
}

import type { ASTNode } from '@marcbachmann/cel-js';
import { parseMoney, Refusal } from '#kernel';

/** Why an expression is no rule, and where in its text: UTF-16 units from its start. */
export interface RuleFault {
  readonly offset: number;
  readonly message: string;
}

/** One unit is about one comparison. A rule's bound is static: nothing in it repeats. */
const ruleCostMax = 250;

/** Looking for a code among restrictions, or for a piece in a string, is taken for this many. */
const SEARCH_COST = 5;

const OPERATORS = new Set([
  ...['value', 'id', '.', 'call', 'rcall', 'list', '?:', '||', '&&', '!_', '-_', 'in'],
  ...['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%'],
]);
const FUNCTIONS = new Set(['money', 'size']);
const METHODS = new Set(['startsWith', 'endsWith', 'contains', 'size']);

/** The parts of an expression, in its order. */
function partsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

export function nodesOf(node: ASTNode): ASTNode[] {
  return [node, ...partsOf(node).flatMap(nodesOf)];
}

/** What the language allows and a rule may not: what has no exact value, what repeats, and what costs more than a rule may. */
export function findShapeFaults(root: ASTNode, currency: string): RuleFault[] {
  const nodes = nodesOf(root);
  const faults = nodes.flatMap((node) => faultOf(node, currency) ?? []);
  if (faults.length > 0) return faults;
  const cost = costOf(root);
  return cost > ruleCostMax ? [{ offset: 0, message: `the rule costs ${cost}; ${ruleCostMax} is the most: make it shorter` }] : [];
}

export function costOf(root: ASTNode): number {
  return nodesOf(root).reduce((sum, { op }) => sum + (op === 'in' || op === 'rcall' ? SEARCH_COST : 1), 0);
}

function faultOf(node: ASTNode, currency: string): RuleFault | undefined {
  const fault = (message: string) => ({ offset: placeOf(node), message });
  if (!OPERATORS.has(node.op)) return fault(`"${node.op}" is not part of the rule language`);
  switch (node.op) {
    case 'value': {
      const message = literalFault(node.args);
      return message === undefined ? undefined : fault(message);
    }
    case 'call':
      return FUNCTIONS.has(node.args[0]) ? moneyFault(node, currency) : fault(`there is no function "${node.args[0]}"`);
    case 'rcall':
      return METHODS.has(node.args[0]) ? undefined : fault(`there is no method "${node.args[0]}"; lists are searched with "in"`);
    default:
      return undefined;
  }
}

/** What is asked of something begins behind it. */
function placeOf(node: ASTNode): number {
  if (node.op === 'rcall') return node.args[1].range.end;
  return node.op === '[]' ? node.args[0].range.end : node.range.start;
}

function literalFault(literal: unknown): string | undefined {
  if (typeof literal === 'number') return 'a decimal number is not exact: write money("…") for an amount, or a whole number';
  return ['string', 'bigint', 'boolean'].includes(typeof literal)
    ? undefined
    : 'only strings, whole numbers, true and false are literals here';
}

function moneyFault({ args: [name, args], range }: Extract<ASTNode, { op: 'call' }>, currency: string): RuleFault | undefined {
  if (name !== 'money') return undefined;
  const [literal] = args;
  if (args.length !== 1 || literal?.op !== 'value' || typeof literal.args !== 'string') {
    return { offset: range.start, message: `money takes one string, such as money("199.00")` };
  }
  try {
    parseMoney({ amount: literal.args, currency });
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return { offset: literal.range.start, message: error.detail };
    throw error;
  }
}

import { type Contradiction, contradiction } from '../contradiction.js';
import type { PolicyDocument } from '../document.js';
import { readExpression } from './rule.js';
import type { RuleDocument } from './rule-document.js';
import { costOf, type RuleFault } from './rule-shape.js';

/** What the rules of one service may cost together. */
const serviceCostMax = 2_500;

/** A rule's reason must not read as if something else had given it. */
const RESERVED = /^(restriction|score|limit|amount|rule|service)\./;

/** Rules that are none: 422 `policy.rule_refused` with the place in the expression; and names and reasons that do not fit the document. */
export function ruleContradictions({ rules = [], services, currency }: PolicyDocument): Contradiction[] {
  const known = services.map(({ name }) => name);
  const read = rules.map(({ when }) => readExpression(when, currency));
  const costs = read.map((expression) => ('faults' in expression ? 0 : costOf(expression.ast)));
  return [
    ...rules.flatMap((rule, i) => nameContradictions(rule, `/rules/${i}`, known)),
    ...read.flatMap((expression, i) =>
      'faults' in expression ? expression.faults.map((fault) => refusal(rules[i]!, `/rules/${i}/when`, fault)) : [],
    ),
    ...known.flatMap((service) => costContradictions(rules, costs, service)),
  ];
}

function refusal({ id }: RuleDocument, pointer: string, { offset, message }: RuleFault): Contradiction {
  return { kind: 'unprocessable', code: 'policy.rule_refused', pointer, offset, message: `rule "${id}": ${message}` };
}

function nameContradictions({ services = [], reason }: RuleDocument, pointer: string, known: readonly string[]): Contradiction[] {
  const strangers = services.flatMap((name, s) =>
    known.includes(name) ? [] : [contradiction(`${pointer}/services/${s}`, 'names a service that does not exist')],
  );
  const prefix = RESERVED.exec(reason.code)?.[0];
  if (prefix === undefined) return strangers;
  return [...strangers, contradiction(`${pointer}/reason/code`, `codes that begin with "${prefix}" are given by the platform itself`)];
}

function costContradictions(rules: readonly RuleDocument[], costs: readonly number[], service: string): Contradiction[] {
  let cost = 0;
  const first = rules.findIndex(({ services = [] }, i) => {
    if (services.length === 0 || services.includes(service)) cost += costs[i]!;
    return cost > serviceCostMax;
  });
  if (first === -1) return [];
  const message = `the rules of "${service}" up to here cost ${cost}; ${serviceCostMax} is the most`;
  return [refusal(rules[first]!, `/rules/${first}/when`, { offset: 0, message })];
}

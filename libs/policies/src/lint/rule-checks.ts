import type { ASTNode } from '@marcbachmann/cel-js';
import type { PolicyDocument } from '../document.js';
import { fieldOf, readExpression } from '../rules/rule.js';
import type { RuleDocument } from '../rules/rule-document.js';
import { nodesOf } from '../rules/rule-shape.js';
import { type Remark, warning } from './finding.js';
import { constantOf, implies } from './implication.js';

interface PlacedRule extends RuleDocument {
  readonly pointer: string;
  readonly ast: ASTNode;
}

function rulesOf({ rules = [], currency }: PolicyDocument): PlacedRule[] {
  return rules.flatMap((rule, i) => {
    const read = readExpression(rule.when, currency);
    return 'faults' in read ? [] : [{ ...rule, pointer: `/rules/${i}`, ast: read.ast }];
  });
}

/** Rules of services that are all off: nobody asks them. */
export function rulesOutOfReach(document: PolicyDocument): Remark[] {
  return rulesOf(document).flatMap(({ id, services = [], pointer }) => {
    const asked = document.services.filter(({ name, mode }) => mode !== 'off' && (services.length === 0 || services.includes(name)));
    if (asked.length > 0) return [];
    return [warning('rule.out_of_reach', pointer, `rule "${id}" is never asked: its services are off`)];
  });
}

/** Conditions that are true for everybody, or for nobody. */
export function rulesThatNeverVary(document: PolicyDocument): Remark[] {
  return rulesOf(document).flatMap(({ id, then, pointer, ast }) => {
    const constant = constantOf(ast, document.currency);
    if (constant === undefined) return [];
    return constant
      ? [warning('rule.always', `${pointer}/when`, `rule "${id}" says ${then} to everybody: its condition is always true`)]
      : [warning('rule.never', `${pointer}/when`, `rule "${id}" never applies: its condition is always false`)];
  });
}

/** Rules that change nothing, because another one says DENY wherever they apply, or the same under the same condition. */
export function rulesShadowed(document: PolicyDocument): Remark[] {
  const rules = rulesOf(document);
  return rules.flatMap((rule, i) => {
    const other = rules.find((wider, j) => j !== i && shadows(wider, rule) && (j < i || !shadows(rule, wider)));
    if (!other) return [];
    const message = `rule "${rule.id}" never matters: wherever it applies, rule "${other.id}" says ${other.then}`;
    return [warning('rule.shadowed', rule.pointer, message)];
  });
}

function shadows(wider: PlacedRule, rule: PlacedRule): boolean {
  const { services = [] } = wider;
  const isWherever = services.length === 0 || ((rule.services ?? []).length > 0 && rule.services!.every((name) => services.includes(name)));
  if (!isWherever || !implies(rule.ast, wider.ast)) return false;
  return wider.then === 'DENY' || (wider.then === rule.then && implies(wider.ast, rule.ast));
}

/** Words compared with what is none of them: a tier, service, kind or mode that does not exist. */
export function rulesWithUnknownNames(document: PolicyDocument): Remark[] {
  const words: Readonly<Record<string, readonly string[]>> = {
    'subject.tier': document.tiers.map(({ name }) => name),
    'subject.kind': ['INDIVIDUAL', 'MERCHANT'],
    'request.service': document.services.map(({ name }) => name),
    'request.mode': ['EVALUATE', 'RESERVE'],
  };
  return rulesOf(document).flatMap(({ id, pointer, ast }) =>
    nodesOf(ast).flatMap((node) => {
      const [field = '', literals] = comparedWith(node);
      const strangers = literals.filter((literal) => words[field] && !words[field].includes(String(literal.args)));
      return strangers.map((literal) => {
        const message = `rule "${id}": ${field} is never "${String(literal.args)}"; it is one of ${words[field]!.join(', ')}`;
        return warning('rule.unknown_name', `${pointer}/when`, message, literal.range.start);
      });
    }),
  );
}

/** The field and the strings that an equation or a search compares. */
function comparedWith(node: ASTNode): [field: string | undefined, literals: ASTNode[]] {
  if (node.op !== '==' && node.op !== '!=' && node.op !== 'in') return [undefined, []];
  const [left, right] = node.args;
  const others = fieldOf(left) === undefined ? [left] : right.op === 'list' ? right.args : [right];
  return [fieldOf(left) ?? fieldOf(right), others.filter(({ op }) => op === 'value')];
}

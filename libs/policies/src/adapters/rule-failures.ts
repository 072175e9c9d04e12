import { Counter } from 'prom-client';
import type { PolicyVersion } from '../lifecycle.js';
import type { OnRuleFailure } from '../rules/judge-rules.js';

const failuresTotal = new Counter({
  name: 'tallystick_rule_failures_total',
  help: 'evaluations of the active policy in which a rule had no value and so denied, by rule and why',
  labelNames: ['policy', 'version', 'rule', 'why'],
});

/** Counts the failures of one version's rules for /metrics. */
export function countsFailures({ id: policy, version }: PolicyVersion): OnRuleFailure {
  return (rule, why) => failuresTotal.inc({ policy, version: String(version), rule, why });
}

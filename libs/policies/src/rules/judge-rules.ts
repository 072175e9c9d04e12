import type { DecisionMode, DecisionReason, Outcome } from '#contract';
import type { Money } from '#kernel';
import type { Restriction, Standing } from '#standing';
import type { LocalClock } from '../local-hour.js';
import { type Calendar, LIFETIME } from '../window.js';
import type { Rule, RuleReads } from './rule.js';
import { MomentView, MoneyView, RequestView, type RuleContext, SubjectView } from './rule-language.js';

/** The rules of one service, in the order of the document, what any of them looks at, and whose time they go by. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly reads: RuleReads;
  readonly calendar: Calendar;
  readonly clock: LocalClock;
}

export interface RuleCase {
  readonly standing: Standing;
  readonly tier: string;
  readonly active: readonly Restriction[];
  readonly request: {
    readonly service: string;
    readonly money: Money;
    readonly counterparty?: string | undefined;
    readonly channel?: string | undefined;
    readonly mode?: DecisionMode | undefined;
  };
}

export interface RuleFinding extends DecisionReason {
  readonly says: Outcome;
}

export interface RuleVerdict {
  readonly findings: readonly RuleFinding[];
  /** The findings hold in [from, until). */
  readonly from: Date;
  readonly until: Date;
}

export function ruleSet(rules: readonly Rule[], time: Pick<RuleSet, 'calendar' | 'clock'>): RuleSet {
  const any = (name: keyof RuleReads) => rules.some(({ reads }) => reads[name]);
  return { rules, reads: { hour: any('hour'), day: any('day') }, ...time };
}

const ALWAYS: Omit<RuleVerdict, 'findings'> = { from: LIFETIME.start, until: LIFETIME.end };

/** What the rules of a service say. A rule that has no value fails closed: DENY, `rule.failed`, and it is named. */
export function judgeRules({ rules, reads, calendar, clock }: RuleSet, known: RuleCase, at: Date): RuleVerdict {
  const context = contextOf(known, clock, at);
  const findings = rules.flatMap((rule) => findingOf(rule, context) ?? []);
  if (!reads.hour && !reads.day) return { findings, ...ALWAYS };
  const { start, end } = reads.hour ? clock.hourAt(at) : calendar.windowAt('DAY', at);
  return { findings, from: start, until: end };
}

const MOMENTS = new WeakMap<object, MomentView>();

function contextOf({ standing, tier, active, request }: RuleCase, clock: LocalClock, at: Date): RuleContext {
  const codes = active.map(({ reason }) => reason.code);
  const hour = clock.hourAt(at);
  const moment = MOMENTS.get(hour) ?? new MomentView(hour);
  MOMENTS.set(hour, moment);
  return {
    subject: new SubjectView(standing.kind, BigInt(standing.score.value), tier, codes),
    request: new RequestView({ ...request, amount: new MoneyView(request.money.minor) }),
    at: moment,
  };
}

function findingOf(rule: Rule, context: RuleContext): RuleFinding | undefined {
  const source = `rule ${rule.id}`;
  try {
    return rule.applies(context) ? { says: rule.says, code: rule.reason.code, text: rule.reason.text, source } : undefined;
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code).replaceAll('_', ' ') : 'it could not be judged';
    return { says: 'DENY', code: 'rule.failed', text: `the rule has no value here: ${why}`, source };
  }
}
